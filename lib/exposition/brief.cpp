// One table of numbers, written in two ways.
#include "exposition/brief.hpp"

#include <vector>

#include "exposition/html_writer.hpp"
#include "exposition/status_report.hpp"

namespace wsp {
namespace {

struct Figure {
    std::string_view name;
    std::string_view title;
    std::uint64_t number;
    bool bytes = false;
};

std::vector<Figure> figures_of(const ServerSnapshot& snapshot) {
    const SeriesSnapshot total = total_of(snapshot);
    return {{"WebsocketTunnelsOpen", "open tunnels", total.open()},
            {"WebsocketTunnelsOpened", "tunnels opened", total.at(Metric::opened)},
            {"WebsocketTunnelsEnded", "tunnels ended", total.sum(Metric::ended)},
            {"WebsocketHandshakesRefused", "handshakes refused", total.sum(Metric::refused)},
            {"WebsocketMessagesIn", "messages in", total.at(Metric::messages, 0)},
            {"WebsocketMessagesOut", "messages out", total.at(Metric::messages, 1)},
            {"WebsocketBytesIn", "bytes in", total.at(Metric::bytes, 0), true},
            {"WebsocketBytesOut", "bytes out", total.at(Metric::bytes, 1), true},
            {"WebsocketBytesHeld", "bytes waiting in tunnels", total.at(Metric::held_bytes), true}};
}

}  // namespace

std::string as_brief_html(const ServerSnapshot& snapshot) {
    HtmlWriter html;
    html.raw("<hr />\n<h2>WebSocket Tunnels</h2>\n<dl>\n");
    for (const Figure& figure : figures_of(snapshot)) {
        html.raw("<dt>").text(figure.title).raw(": ");
        html.text(figure.bytes ? human_bytes(figure.number) : human_count(figure.number))
            .raw("</dt>\n");
    }
    html.raw(
        "</dl>\n<table border=\"0\"><tr><th>Virtual "
        "host</th><th>Backend</th><th>Open</th><th>Opened</th>"
        "<th>Refused</th></tr>\n");
    for (const SeriesSnapshot& series : snapshot.series) {
        html.raw("<tr><td>")
            .text(series.vhost)
            .raw("</td><td>")
            .text(series.backend)
            .raw("</td><td>");
        html.count(series.open())
            .raw("</td><td>")
            .count(series.at(Metric::opened))
            .raw("</td><td>");
        html.count(series.sum(Metric::refused)).raw("</td></tr>\n");
    }
    html.raw("</table>\n");
    return html.take();
}

std::string as_brief_lines(const ServerSnapshot& snapshot) {
    std::string lines;
    for (const Figure& figure : figures_of(snapshot)) {
        lines.append(figure.name).append(": ");
        append_number(lines, figure.number);
        lines += '\n';
    }
    return lines;
}

}  // namespace wsp
