// The status page for people. It is complete without its script, which only keeps it up to date and draws plots
// (module/status/page/page.js). No style and no script stands in the page itself, so a strict Content-Security-Policy
// holds. Pure; any thread.
#pragma once

#include <string>

#include "exposition/page_request.hpp"
#include "exposition/status_report.hpp"

namespace wsp {

// Versions of the page's files, which stand in their addresses.
struct PageFiles {
    std::string stylesheet;
    std::string script;
    std::string icon;
};

std::string as_html(const StatusReport& report, const PageRequest& asked, const PageFiles& files);

}  // namespace wsp
