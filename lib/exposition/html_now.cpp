// The large numbers: one tile each.
#include "exposition/html_sections.hpp"

namespace wsp {
namespace {

class Tiles {
  public:
    explicit Tiles(HtmlWriter& html) : html_(html) {}

    // `name` is the tile's id for page.js, `note` a line below the number; empty: none.
    void add(std::string_view name, std::string_view title, std::string_view number,
             std::string_view note) {
        html_.raw("<div><dt>").text(title).raw("</dt><dd class=\"large\" id=\"now-").text(name);
        html_.raw("\">").text(number).raw("</dd>");
        if (!note.empty()) {
            html_.raw("<dd class=\"note\">").text(note).raw("</dd>");
        }
        html_.raw("</div>\n");
    }

  private:
    HtmlWriter& html_;
};

std::string in_and_out(std::string (*human)(std::uint64_t), const SeriesSnapshot& total,
                       Metric metric) {
    return human(total.at(metric, 0)) + " in, " + human(total.at(metric, 1)) + " out";
}

// "99 % within 5 ms"
std::string most_within(const SeriesSnapshot& series, Metric histogram) {
    const DurationUs bound = quantile_of(series, histogram, 0.99);
    if (bound == 0) {
        return "none measured";
    }
    return bound == kNever ? std::string("some take longer than a day")
                           : "99\xC2\xA0% within " + human_duration(bound);
}

std::string mean_text(const SeriesSnapshot& series, Metric histogram) {
    const DurationUs mean = mean_of(series, histogram);
    return mean == kNever ? "\xE2\x80\x93" : human_duration(mean);
}

}  // namespace

void write_now(HtmlWriter& html, const StatusReport& report, const SeriesSnapshot& total) {
    html.raw(
        "<section id=\"now\" aria-labelledby=\"now-title\">\n"
        "<h2 id=\"now-title\" class=\"unseen\">Now, and since the start</h2>\n<dl "
        "class=\"tiles\">\n");
    Tiles tiles(html);
    tiles.add("open", "Open tunnels", human_short(total.open()),
              human_short(total.at(Metric::opened)) + " opened, " +
                  human_short(total.sum(Metric::ended)) + " ended");
    tiles.add("refused", "Refused", human_short(total.sum(Metric::refused)), "since the start");
    tiles.add("messages", "Messages", human_short(total.sum(Metric::messages)),
              in_and_out(human_short, total, Metric::messages));
    tiles.add("bytes", "Traffic", human_bytes(total.sum(Metric::bytes)),
              in_and_out(human_bytes, total, Metric::bytes));
    tiles.add("held", "Held back", human_bytes(total.at(Metric::held_bytes)),
              "waits for receivers");
    tiles.add("handshake", "Handshake, mean", mean_text(total, Metric::handshake_time),
              most_within(total, Metric::handshake_time));
    tiles.add("rtt", "Round trip, mean", mean_text(total, Metric::ping_rtt),
              most_within(total, Metric::ping_rtt));
    tiles.add("lag", "Loop round, mean", mean_text(report.snapshot.server, Metric::loop_lag),
              most_within(report.snapshot.server, Metric::loop_lag));
    html.raw("</dl>\n</section>\n");
}

}  // namespace wsp
