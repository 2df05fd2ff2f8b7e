// The sections of the status page. page.js brings each of them up to date, by its id. Pure; any thread.
#pragma once

#include "exposition/html_writer.hpp"
#include "exposition/page_request.hpp"
#include "exposition/status_report.hpp"

namespace wsp {

// The large numbers at the top.
void write_now(HtmlWriter& html, const StatusReport& report, const SeriesSnapshot& total);
// What has ended in the last hour, minute by minute and by reason, and why handshakes were refused.
void write_last_hour(HtmlWriter& html, const StatusReport& report, const SeriesSnapshot& total);
// Each virtual host with each backend.
void write_hosts(HtmlWriter& html, const StatusReport& report);
// Orders (exposition/action_request.hpp): forms that close tunnels, pause and resume. Empty where the page takes no
// orders.
void write_actions(HtmlWriter& html, const StatusReport& report);
// Live tunnels: filter, table, pages.
void write_tunnels(HtmlWriter& html, const StatusReport& report, const PageRequest& asked);

// The filter that selects the tunnels with this value: "vhost:www.example.com:443".
std::string filter_for(RowColumn column, std::string_view value);

}  // namespace wsp
