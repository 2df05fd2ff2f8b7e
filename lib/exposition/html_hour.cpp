// The last hour: a bar for each minute, stacked by who ended the tunnels, and a table of reasons.
#include <algorithm>
#include <array>
#include <utility>

#include "exposition/html_sections.hpp"

namespace wsp {
namespace {

constexpr std::string_view kGroups[] = {"client", "backend", "proxy", "error"};
constexpr std::string_view kGroupTitles[] = {"by the client", "by the backend", "by httpd",
                                             "by an error"};
constexpr std::size_t kGroupCount = std::size(kGroups);
constexpr std::uint64_t kBarHeight = 100;
constexpr std::size_t kBarWidth = 10;

using ByGroup = std::array<std::uint64_t, kGroupCount>;

struct Reason {
    CellWords words;
    std::uint64_t count;
};

std::size_t group_of(const CellWords& words) noexcept {
    const auto* const found = std::find(std::begin(kGroups), std::end(kGroups), words.group);
    return std::min<std::size_t>(static_cast<std::size_t>(found - std::begin(kGroups)),
                                 kGroupCount - 1);
}

std::uint64_t sum_of(const ByGroup& groups) noexcept {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : groups) {
        sum += count;
    }
    return sum;
}

std::vector<ByGroup> minutes_of(const StatusReport& report) {
    std::vector<ByGroup> minutes;
    for (const auto& minute : report.snapshot.ended_by_minute) {
        ByGroup& groups = minutes.emplace_back();
        groups.fill(0);
        for (std::size_t cell = 0; cell < minute.ended.size(); ++cell) {
            if (minute.ended[cell] != 0) {
                groups[group_of(report.describe(Metric::ended, cell))] += minute.ended[cell];
            }
        }
    }
    return minutes;
}

void sort_reasons(std::vector<Reason>& reasons) {
    std::sort(reasons.begin(), reasons.end(), [](const Reason& a, const Reason& b) {
        return a.count != b.count ? a.count > b.count : a.words.name < b.words.name;
    });
}

std::vector<Reason> reasons_of_hour(const StatusReport& report) {
    std::vector<Reason> reasons;
    for (std::size_t cell = 0; cell < row_of(Metric::ended).cells; ++cell) {
        std::uint64_t count = 0;
        for (const auto& minute : report.snapshot.ended_by_minute) {
            count += minute.ended[cell];
        }
        if (count != 0) {
            reasons.push_back({report.describe(Metric::ended, cell), count});
        }
    }
    sort_reasons(reasons);
    return reasons;
}

std::vector<Reason> refusals_of(const StatusReport& report, const SeriesSnapshot& total) {
    std::vector<Reason> reasons;
    for (std::size_t cell = 0; cell < row_of(Metric::refused).cells; ++cell) {
        if (const std::uint64_t count = total.at(Metric::refused, cell)) {
            reasons.push_back({report.describe(Metric::refused, cell), count});
        }
    }
    sort_reasons(reasons);
    return reasons;
}

void write_bar(HtmlWriter& html, const ByGroup& groups, std::size_t minutes_ago,
               std::uint64_t most) {
    html.raw("<g><title>")
        .number(minutes_ago)
        .raw(" min ago: ")
        .count(sum_of(groups))
        .raw("</title>");
    std::uint64_t below = 0;
    for (std::size_t group = 0; group < kGroupCount; ++group) {
        const std::uint64_t bottom = below * kBarHeight / most;
        below += groups[group];
        const std::uint64_t top = below * kBarHeight / most;
        if (groups[group] != 0) {
            html.raw("<rect class=\"").text(kGroups[group]).raw("\" x=\"");
            html.number((59 - minutes_ago) * kBarWidth + 1).raw("\" y=\"").number(kBarHeight - top);
            html.raw("\" width=\"8\" height=\"").number(std::max<std::uint64_t>(1, top - bottom));
            html.raw("\"/>");
        }
    }
    html.raw("</g>\n");
}

void write_chart(HtmlWriter& html, const std::vector<ByGroup>& minutes) {
    std::uint64_t all = 0;
    std::uint64_t most = 1;
    ByGroup groups{};
    for (const ByGroup& minute : minutes) {
        all += sum_of(minute);
        most = std::max(most, sum_of(minute));
        for (std::size_t group = 0; group < kGroupCount; ++group) {
            groups[group] += minute[group];
        }
    }
    html.raw("<figure class=\"chart\">\n<figcaption><strong>").count(all).raw(" ended</strong>");
    for (std::size_t group = 0; group < kGroupCount; ++group) {
        html.raw(" <span class=\"key ").text(kGroups[group]).raw("\">");
        html.count(groups[group]).raw(" ").text(kGroupTitles[group]).raw("</span>");
    }
    html.raw(
        "</figcaption>\n<svg viewBox=\"0 0 600 100\" preserveAspectRatio=\"none\" role=\"img\" "
        "aria-label=\"Tunnels that ended in each of the last 60 minutes; at most ");
    html.count(most == 1 && all == 0 ? 0 : most).raw(" in one minute\">\n");
    for (std::size_t minute = 0; minute < minutes.size(); ++minute) {
        if (sum_of(minutes[minute]) != 0) {
            write_bar(html, minutes[minute], minute, most);
        }
    }
    html.raw(
        "</svg>\n<div class=\"axis\" aria-hidden=\"true\"><span>60 min ago</span><span>30 "
        "min</span>"
        "<span>now</span></div>\n</figure>\n");
}

// `text` without what stands for a detail in its log line.
std::string plain(std::string_view text) {
    static constexpr std::pair<std::string_view, std::string_view> kDetails[] = {
        {"backend {} ", "backend "}, {": {}", ""}, {"{}", "\xE2\x80\xA6"}};
    std::string made(text);
    for (const auto& [detail, instead] : kDetails) {
        if (const std::size_t at = made.find(detail); at != std::string::npos) {
            made.replace(at, detail.size(), instead);
        }
    }
    return made;
}

void write_reason(HtmlWriter& html, const Reason& reason, std::uint64_t all) {
    html.raw("<tr><th scope=\"row\"><span class=\"name\">").text(plain(reason.words.text));
    html.raw("</span> <code>").text(reason.words.name).raw("</code></th><td class=\"number\">");
    html.count(reason.count).raw("</td><td class=\"share\"><svg class=\"bar ");
    html.text(reason.words.group.empty() ? "error" : reason.words.group);
    html.raw(
        "\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect "
        "height=\"8\" width=\"");
    html.number(std::max<std::uint64_t>(1, reason.count * 100 / all));
    html.raw("\"/></svg></td></tr>\n");
}

void write_reasons(HtmlWriter& html, std::string_view caption, const std::vector<Reason>& reasons) {
    std::uint64_t all = 0;
    for (const Reason& reason : reasons) {
        all += reason.count;
    }
    html.raw("<table class=\"reasons\">\n<caption>")
        .text(caption)
        .raw(
            "</caption>\n<thead><tr><th scope=\"col\">"
            "Reason</th><th scope=\"col\" class=\"number\">Count</th><th scope=\"col\" "
            "class=\"share\">Share</th></tr>"
            "</thead>\n<tbody>\n");
    for (const Reason& reason : reasons) {
        write_reason(html, reason, all);
    }
    if (reasons.empty()) {
        html.raw("<tr><td colspan=\"3\" class=\"none\">None</td></tr>\n");
    }
    html.raw("</tbody>\n</table>\n");
}

}  // namespace

void write_last_hour(HtmlWriter& html, const StatusReport& report, const SeriesSnapshot& total) {
    html.raw(
        "<section id=\"hour\" aria-labelledby=\"hour-title\">\n<h2 id=\"hour-title\">Why tunnels "
        "end</h2>\n");
    write_chart(html, minutes_of(report));
    html.raw("<div class=\"pair\">\n");
    write_reasons(html, "Ended in the last hour", reasons_of_hour(report));
    write_reasons(html, "Refused since the start", refusals_of(report, total));
    html.raw("</div>\n</section>\n");
}

}  // namespace wsp
