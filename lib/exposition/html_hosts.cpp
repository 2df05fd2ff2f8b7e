// A row for each virtual host with each backend.
#include <algorithm>

#include "exposition/html_sections.hpp"

namespace wsp {
namespace {

constexpr std::size_t kMostSeries = 500;

// `text` as a link to the tunnels that have it in `column`.
void write_filter_link(HtmlWriter& html, RowColumn column, const std::string& text) {
    PageRequest request;
    request.rows.text = filter_for(column, text);
    html.raw("<a href=\"?").text(query_for(request)).raw("#tunnels\">").text(text).raw("</a>");
}

void write_two_counts(HtmlWriter& html, std::string_view label, std::uint64_t first,
                      std::uint64_t second) {
    html.raw("<td class=\"number\" data-label=\"").text(label).raw("\"><span>").count(first);
    html.raw("</span><span class=\"second\">").count(second).raw("</span></td>");
}

// The reason that occurs most.
std::string_view main_refusal(const SeriesSnapshot& series, DescribeCell describe) {
    const auto* const first = series.cells.data() + first_cell(Metric::refused);
    const auto* const most = std::max_element(first, first + row_of(Metric::refused).cells);
    return *most == 0 ? std::string_view()
                      : describe(Metric::refused, static_cast<std::size_t>(most - first)).name;
}

void write_handshake(HtmlWriter& html, const SeriesSnapshot& series) {
    html.raw("<td class=\"number\" data-label=\"Handshake, 99 %\">");
    const DurationUs mean = mean_of(series, Metric::handshake_time);
    if (mean == kNever) {
        html.raw("<span>\xE2\x80\x93</span></td>");
        return;
    }
    html.raw("<span>").duration(mean).raw("</span><span class=\"second\">\xE2\x89\xA4 ");
    html.duration(std::min(quantile_of(series, Metric::handshake_time, 0.99), 24 * 3600 * kSecond));
    html.raw("</span></td>");
}

void write_pool(HtmlWriter& html, const SeriesSnapshot& series) {
    constexpr std::size_t kConnecting = 0;
    constexpr std::size_t kIdle = 1;
    html.raw("<td class=\"number\" data-label=\"Pool idle, busy\"><span>");
    html.count(series.at(Metric::pool_connections, kIdle)).raw("</span><span class=\"second\">");
    html.count(series.at(Metric::pool_connections, kConnecting)).raw(" + ");
    html.count(series.at(Metric::pool_waiting)).raw("</span></td>");
}

void write_series(HtmlWriter& html, const StatusReport& report, const SeriesSnapshot& series) {
    html.raw("<tr><th scope=\"row\"><span>");
    write_filter_link(html, RowColumn::vhost, series.vhost);
    if (series.paused) {
        html.raw(" <strong class=\"badge\">paused</strong>");
    }
    html.raw("</span><span class=\"second\">");
    write_filter_link(html, RowColumn::backend, series.backend);
    html.raw("</span></th>");
    html.raw("<td class=\"number\" data-label=\"Open\"><strong>")
        .count(series.open())
        .raw("</strong></td>");
    write_two_counts(html, "Opened, ended", series.at(Metric::opened), series.sum(Metric::ended));
    html.raw("<td class=\"number\" data-label=\"Refused\"><span>")
        .count(series.sum(Metric::refused));
    html.raw("</span><span class=\"second\">")
        .text(main_refusal(series, report.describe))
        .raw("</span></td>");
    write_two_counts(html, "Messages in, out", series.at(Metric::messages, 0),
                     series.at(Metric::messages, 1));
    html.raw("<td class=\"number\" data-label=\"Bytes in, out\"><span>")
        .bytes(series.at(Metric::bytes, 0));
    html.raw("</span><span class=\"second\">")
        .bytes(series.at(Metric::bytes, 1))
        .raw("</span></td>");
    write_handshake(html, series);
    write_pool(html, series);
    html.raw("</tr>\n");
}

}  // namespace

std::string filter_for(RowColumn column, std::string_view value) {
    std::string filter;
    for (std::size_t begin = 0; begin < value.size();) {
        const std::size_t end = std::min(value.find(' ', begin), value.size());
        if (end > begin) {
            filter.append(filter.empty() ? "" : " ").append(name_of(column)).append(":");
            filter.append(value.substr(begin, end - begin));
        }
        begin = end + 1;
    }
    return filter;
}

void write_hosts(HtmlWriter& html, const StatusReport& report) {
    const std::vector<SeriesSnapshot>& all = report.snapshot.series;
    html.raw(
        "<section id=\"hosts\" aria-labelledby=\"hosts-title\">\n<h2 id=\"hosts-title\">Virtual "
        "hosts and "
        "backends</h2>\n<table class=\"stacked\">\n<caption class=\"unseen\">Each virtual host "
        "with each backend, since "
        "the start</caption>\n<thead><tr><th scope=\"col\">Virtual host<span "
        "class=\"second\">backend</span></th>"
        "<th scope=\"col\" class=\"number\">Open</th>"
        "<th scope=\"col\" class=\"number\">Opened<span class=\"second\">ended</span></th>"
        "<th scope=\"col\" class=\"number\">Refused<span class=\"second\">mostly for</span></th>"
        "<th scope=\"col\" class=\"number\">Messages in<span class=\"second\">out</span></th>"
        "<th scope=\"col\" class=\"number\">Bytes in<span class=\"second\">out</span></th>"
        "<th scope=\"col\" class=\"number\">Handshake<span class=\"second\">99 %</span></th>"
        "<th scope=\"col\" class=\"number\">Pool idle<span class=\"second\">connecting + "
        "waiting</span></th>"
        "</tr></thead>\n<tbody>\n");
    const std::size_t shown = std::min(all.size(), kMostSeries);
    for (std::size_t i = 0; i < shown; ++i) {
        write_series(html, report, all[i]);
    }
    if (all.empty()) {
        html.raw("<tr><td colspan=\"8\" class=\"none\">No handshake has come yet</td></tr>\n");
    }
    html.raw("</tbody>\n</table>\n");
    if (shown < all.size()) {
        html.raw("<p class=\"hint\">")
            .count(all.size() - shown)
            .raw(" more are in the JSON.</p>\n");
    }
    html.raw("</section>\n");
}

}  // namespace wsp
