// The frame of the page: head, title, sections, links to the other formats.
#include "exposition/html_page.hpp"

#include "exposition/html_sections.hpp"

namespace wsp {
namespace {

void write_head(HtmlWriter& html, const StatusReport& report, const PageFiles& files) {
    html.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
    html.text("WebSocket tunnels \xC2\xB7 ").text(report.server_name);
    html.raw(
        "</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n"
        "<meta name=\"robots\" content=\"noindex\">\n"
        "<link rel=\"icon\" type=\"image/svg+xml\" href=\"?asset=icon.svg&amp;v=");
    html.text(files.icon).raw("\">\n<link rel=\"stylesheet\" href=\"?asset=page.css&amp;v=");
    html.text(files.stylesheet).raw("\">\n<script src=\"?asset=page.js&amp;v=");
    html.text(files.script).raw("\" defer></script>\n</head>\n");
}

void write_time(HtmlWriter& html, std::int64_t seconds) {
    html.raw("<time datetime=\"").text(iso_time(seconds)).raw("\">");
    html.text(human_time(seconds)).raw("</time>");
}

void write_title(HtmlWriter& html, const StatusReport& report) {
    const ServerSnapshot& snapshot = report.snapshot;
    html.raw(
        "<a class=\"skip\" href=\"#tunnels\">Skip to the tunnels</a>\n"
        "<header>\n<div>\n<h1>WebSocket tunnels</h1>\n<p id=\"about\"><strong>");
    html.text(report.server_name).raw("</strong> <span>mod_proxy_websocket ");
    html.text(report.version).raw("</span> <span>counting for ");
    html.duration((snapshot.taken_at - snapshot.started_at) * kSecond).raw("</span> <span>");
    html.count(snapshot.children);
    html.text(snapshot.children == 1 ? " process" : " processes").raw("</span></p>\n</div>\n");
    html.raw("<div id=\"updates\"><p id=\"taken\">As of ");
    write_time(html, snapshot.taken_at);
    html.raw("</p></div>\n</header>\n");
}

void write_live(HtmlWriter& html) {
    html.raw(
        "<section id=\"live\" aria-labelledby=\"live-title\">\n<h2 id=\"live-title\">Live</h2>\n"
        "<noscript><p class=\"hint\">The plots need JavaScript. Everything else on this page works "
        "without; "
        "reload the page to see newer numbers.</p></noscript>\n"
        "<div id=\"plots\" class=\"plots\"></div>\n</section>\n");
}

void write_formats(HtmlWriter& html) {
    html.raw(
        "<footer>\n<nav aria-label=\"Other formats\"><ul>\n"
        "<li><a href=\"?format=json\">JSON</a></li>\n"
        "<li><a href=\"?format=csv\">CSV of all tunnels</a></li>\n"
        "<li><a href=\"?format=prometheus\">Prometheus</a></li>\n"
        "</ul></nav>\n</footer>\n");
}

}  // namespace

std::string as_html(const StatusReport& report, const PageRequest& asked, const PageFiles& files) {
    HtmlWriter html;
    const SeriesSnapshot total = total_of(report.snapshot);
    write_head(html, report, files);
    html.raw("<body>\n");
    write_title(html, report);
    html.raw("<main>\n<p id=\"announcement\" class=\"unseen\" role=\"status\"></p>\n");
    write_now(html, report, total);
    write_live(html);
    write_last_hour(html, report, total);
    write_hosts(html, report);
    write_actions(html, report);
    if (asked.wants_rows) {
        write_tunnels(html, report, asked);
    }
    html.raw("</main>\n");
    write_formats(html);
    html.raw("</body>\n</html>\n");
    return html.take();
}

}  // namespace wsp
