// The page as the server writes it, and numbers for people.
#include <catch2/catch.hpp>

#include "exposition/brief.hpp"
#include "exposition/html_page.hpp"
#include "exposition/html_sections.hpp"
#include "exposition/human.hpp"

namespace wsp {
namespace {

constexpr std::string_view kEvil = "<b>\"'&\xFF</b>";

CellWords describe(Metric metric, std::size_t cell) {
    if (metric == Metric::ended || metric == Metric::refused) {
        return {cell == 1 ? "first" : "second", "the backend {} did {} it: {}", "client"};
    }
    return {"name", "", ""};
}

// Everything that can come from a stranger is evil.
StatusReport evil_report() {
    StatusReport made;
    made.server_name = kEvil;
    made.version = kEvil;
    made.describe = describe;
    SeriesSnapshot series;
    series.vhost = series.backend = kEvil;
    series.cells.fill(3);
    made.snapshot.series = {series};
    made.snapshot.ended_by_minute[5].ended[1] = 2;
    TunnelRow row;
    row.id = row.client = row.vhost = row.path = row.backend = row.tag = kEvil;
    made.rows = {row, row};
    return made;
}

std::size_t count_of(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string_view::npos;
         at = text.find(part, at + 1)) {
        ++count;
    }
    return count;
}

std::string page(const StatusReport& report, std::string_view query = "") {
    return as_html(report, parse_page_request(query), {"1", "2", "3"});
}

TEST_CASE("no text of strangers is markup on the page", "[exposition]") {
    const std::string html = page(evil_report(), "q=%3cb%3e%22&sort=path&size=1");
    CHECK(count_of(html, "<b>") == 0);
    CHECK(count_of(html, "\xFF") == 0);
    CHECK(count_of(html, "&lt;b&gt;&quot;&#39;&amp;\xEF\xBF\xBD&lt;/b&gt;") >= 5);
    CHECK(count_of(as_brief_html(evil_report().snapshot), "<b>") == 0);
}

TEST_CASE("what is opened on the page is closed", "[exposition]") {
    for (const std::string query : {"", "q=nobody", "size=1", "size=0"}) {
        const std::string html = page(evil_report(), query);
        for (const std::string tag :
             {"table", "tr",  "td", "th", "section", "div", "span",   "a",    "ul",     "li",   "p",
              "form",  "svg", "g",  "dl", "dd",      "nav", "figure", "code", "strong", "small"}) {
            INFO(query << " " << tag);
            const std::size_t opened =
                count_of(html, "<" + tag + ">") + count_of(html, "<" + tag + " ");
            CHECK(opened == count_of(html, "</" + tag + ">"));
        }
    }
}

TEST_CASE("a heading links to its order, and to the other one when it is the order",
          "[exposition]") {
    const std::string html = page(evil_report(), "sort=client&q=b&page=1");
    CHECK(count_of(html, "aria-sort=\"ascending\"") == 1);
    CHECK(count_of(html, "href=\"?q=b&amp;sort=client&amp;order=desc#tunnels\"") == 1);
    CHECK(count_of(html, "href=\"?q=b&amp;sort=path#tunnels\"") == 1);
    CHECK(count_of(html, "href=\"?q=b#tunnels\" class") == 0);
}

TEST_CASE("pages are linked where there are several", "[exposition]") {
    CHECK(count_of(page(evil_report()), "class=\"pages\"") == 0);
    const std::string html = page(evil_report(), "size=1&page=2");
    CHECK(count_of(html, "Page 2 of 2") == 1);
    CHECK(count_of(html, "<a href=\"?size=1#tunnels\">First</a>") == 1);
    CHECK(count_of(html, "<span>Next</span>") == 1);
}

TEST_CASE("the page says what is missing in its list", "[exposition]") {
    StatusReport report = evil_report();
    CHECK(count_of(page(report), "class=\"warning\"") == 0);
    report.asked = false;
    report.silent = 2;
    report.left_out = 7;
    CHECK(count_of(page(report), "class=\"warning\"") == 3);
}

TEST_CASE("an empty server has a whole page", "[exposition]") {
    StatusReport report;
    report.describe = describe;
    const std::string html = page(report);
    CHECK(count_of(html, "No handshake has come yet") == 1);
    CHECK(count_of(html, "No open tunnel is known.") == 1);
}

TEST_CASE("a text of a log line loses its placeholders", "[exposition]") {
    const std::string html = page(evil_report());
    CHECK(count_of(html, "the backend did \xE2\x80\xA6 it<") > 1);
    CHECK(count_of(html, "{}") == 0);
}

TEST_CASE("a filter for a value has its column at each word", "[exposition]") {
    CHECK(filter_for(RowColumn::backend, "balancer://a  ws://b") ==
          "backend:balancer://a backend:ws://b");
    CHECK(filter_for(RowColumn::tag, "") == "");
}

TEST_CASE("numbers are short and have units", "[exposition]") {
    const std::string space = "\xC2\xA0";
    CHECK(human_count(0) == "0");
    CHECK(human_count(999) == "999");
    CHECK(human_count(1234567) == "1,234,567");
    CHECK(human_short(99'999) == "99,999");
    CHECK(human_short(100'000) == "100" + space + "k");
    CHECK(human_short(1'234'567) == "1.23" + space + "M");
    CHECK(human_short(~std::uint64_t{0}) == "18.4" + space + "E");
    CHECK(human_bytes(999) == "999" + space + "B");
    CHECK(human_bytes(1250) == "1.2" + space + "kB");
    CHECK(human_bytes(45'600'000) == "45" + space + "MB");
    CHECK(human_bytes(~std::uint64_t{0}) == "18" + space + "EB");
}

TEST_CASE("times have the two largest units", "[exposition]") {
    const std::pair<DurationUs, std::string> cases[] = {{0, "0 \xC2\xB5s"},
                                                        {999, "999 \xC2\xB5s"},
                                                        {5000, "5 ms"},
                                                        {5400, "5.4 ms"},
                                                        {3'400'000, "3.4 s"},
                                                        {59 * kSecond, "59 s"},
                                                        {60 * kSecond, "1 min"},
                                                        {312 * kSecond, "5 min 12 s"},
                                                        {7500 * kSecond, "2 h 5 min"},
                                                        {273'600 * kSecond, "3 d 4 h"},
                                                        {-1, "0 \xC2\xB5s"}};
    for (const auto& [time, text] : cases) {
        std::string plain = human_duration(time);
        for (std::size_t at = plain.find("\xC2\xA0"); at != std::string::npos;
             at = plain.find("\xC2\xA0")) {
            plain.replace(at, 2, " ");
        }
        CHECK(plain == text);
    }
    CHECK(human_time(0) == "1970-01-01 00:00:00 UTC");
    CHECK(iso_time(1'000'000'000) == "2001-09-09T01:46:40Z");
}

}  // namespace
}  // namespace wsp
