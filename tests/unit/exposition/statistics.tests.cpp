// Statistics as JSON and for Prometheus.
#include <catch2/catch.hpp>
#include <set>

#include "exposition/json.hpp"
#include "exposition/prometheus.hpp"

namespace wsp {
namespace {

CellWords describe(Metric metric, std::size_t cell) {
    static constexpr std::string_view kNames[] = {"", "first", "second"};
    if (row_of(metric).cells == 2) {
        return {cell == 0 ? "in" : "out", "", ""};
    }
    return {cell < 3 ? kNames[cell] : std::string_view(), "", ""};
}

StatusReport report() {
    StatusReport made;
    made.version = "1.2";
    made.server_name = "ha\"\\\n\xFFha";
    made.describe = describe;
    SeriesSnapshot series;
    series.vhost = "www.\"\\\n\xFF.org:443";
    series.backend = "ws://b";
    series.cells[first_cell(Metric::opened)] = 5;
    series.cells[first_cell(Metric::ended) + 1] = 2;
    series.cells[first_cell(Metric::refused) + 2] = 7;
    series.cells[first_cell(Metric::handshake_time) + 1] = 3;
    series.cells[first_cell(Metric::handshake_time) + kBuckets - 1] = 1;
    series.cells[first_cell(Metric::handshake_time) + kBuckets] = 1'200'000;
    made.snapshot.series = {series, series};
    made.snapshot.series[1].vhost = "other";
    made.snapshot.ended_by_minute[1].ended[2] = 4;
    made.snapshot.taken_at = 100;
    made.snapshot.started_at = 50;
    return made;
}

bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST_CASE("Prometheus gets counters with _total, and labels that are escaped", "[exposition]") {
    const std::string text = as_prometheus(report(), PrometheusFormat::text);
    const std::string labels = R"(vhost="www.\"\\\n)"
                               "\xEF\xBF\xBD"
                               R"(.org:443",backend="ws://b")";
    CHECK(has_line(text, "# TYPE apache_websocket_tunnels_opened_total counter"));
    CHECK(has_line(text, "apache_websocket_tunnels_opened_total{" + labels + "} 5"));
    CHECK(has_line(text, "apache_websocket_tunnels_open{" + labels + "} 3"));
    CHECK(
        has_line(text, "apache_websocket_tunnels_ended_total{" + labels + ",reason=\"second\"} 0"));
    CHECK(has_line(
        text, "apache_websocket_handshakes_refused_total{" + labels + ",reason=\"second\"} 7"));
    CHECK(text.find("refused_total{" + labels + ",reason=\"first\"") == std::string::npos);
    CHECK(has_line(text, "apache_websocket_build_info{version=\"1.2\"} 1"));
    CHECK(has_line(text, "apache_websocket_start_time_seconds 50"));
    CHECK(text.find("# UNIT") == std::string::npos);
    CHECK(text.find("# EOF") == std::string::npos);
}

TEST_CASE("OpenMetrics names families without _total, units, and its end", "[exposition]") {
    const std::string text = as_prometheus(report(), PrometheusFormat::openmetrics);
    CHECK(has_line(text, "# TYPE apache_websocket_tunnels_opened counter"));
    CHECK(has_line(text, "# TYPE apache_websocket_build info"));
    CHECK(has_line(text, "# UNIT apache_websocket_bytes bytes"));
    CHECK(has_line(text, "# UNIT apache_websocket_handshake_duration_seconds seconds"));
    CHECK(text.substr(text.size() - 6) == "# EOF\n");
}

TEST_CASE("a histogram's buckets are cumulated, in seconds, and the last one is its count",
          "[exposition]") {
    const std::string text = as_prometheus(report(), PrometheusFormat::text);
    const std::string name = "apache_websocket_handshake_duration_seconds";
    const std::string labels = R"({vhost="other",backend="ws://b")";
    CHECK(has_line(text, name + "_bucket" + labels + ",le=\"0.0001\"} 0"));
    CHECK(has_line(text, name + "_bucket" + labels + ",le=\"0.0005\"} 3"));
    CHECK(has_line(text, name + "_bucket" + labels + ",le=\"1.0\"} 3"));
    CHECK(has_line(text, name + "_bucket" + labels + ",le=\"+Inf\"} 4"));
    CHECK(has_line(text, name + "_sum" + labels + "} 1.2"));
    CHECK(has_line(text, name + "_count" + labels + "} 4"));
    CHECK(has_line(text, "apache_websocket_loop_lag_seconds_bucket{le=\"+Inf\"} 0"));
}

TEST_CASE("the samples of a family stand together", "[exposition]") {
    std::string text = as_prometheus(report(), PrometheusFormat::text);
    std::set<std::string> seen;
    std::string family;
    while (!text.empty()) {
        const std::string line = text.substr(0, text.find('\n'));
        text.erase(0, line.size() + 1);
        if (line.rfind("# TYPE ", 0) == 0) {
            family = line.substr(7, line.find(' ', 7) - 7);
            CHECK(seen.insert(family).second);
        }
        CHECK((line[0] == '#' || line.rfind(family, 0) == 0));
    }
}

TEST_CASE("OpenMetrics is for who asks for it", "[exposition]") {
    const std::pair<std::string, PrometheusFormat> cases[] = {
        {"", PrometheusFormat::text},
        {"*/*", PrometheusFormat::text},
        {"text/html,application/xhtml+xml,*/*;q=0.8", PrometheusFormat::text},
        {"application/openmetrics-text;version=1.0.0;q=0.5,application/"
         "openmetrics-text;version=0.0.1;q=0.4,"
         "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
         PrometheusFormat::openmetrics},
        {"Application/OpenMetrics-Text", PrometheusFormat::openmetrics},
        {"application/openmetrics-text;q=0.2,text/plain", PrometheusFormat::text},
        {"application/openmetrics-text;q=0", PrometheusFormat::text},
        {"application/openmetrics-text;q=nan", PrometheusFormat::text}};
    for (const auto& [accept, format] : cases) {
        INFO(accept);
        CHECK(choose_format(accept) == format);
    }
}

TEST_CASE("quantiles are bounds of buckets", "[exposition]") {
    const StatusReport made = report();
    const SeriesSnapshot& series = made.snapshot.series[0];
    CHECK(quantile_of(series, Metric::handshake_time, 0.5) == 500);
    CHECK(quantile_of(series, Metric::handshake_time, 0.75) == 500);
    CHECK(quantile_of(series, Metric::handshake_time, 0.76) == kNever);
    CHECK(quantile_of(series, Metric::ping_rtt, 0.5) == 0);
}

TEST_CASE("JSON has totals, series and the last hour, and rows where they are wanted",
          "[exposition]") {
    StatusReport made = report();
    const std::string without = as_json(made, {}, nullptr);
    CHECK(without.find(R"("name":"ha\"\\\u000a)"
                       "\xEF\xBF\xBD"
                       "ha\"") != std::string::npos);
    CHECK(without.find(R"("total":{"open":6,"opened":10,"ended":{"first":4},)") !=
          std::string::npos);
    CHECK(without.find(R"("ended_by_minute":[{},{"second":4},{})") != std::string::npos);
    CHECK(without.find(R"("handshake_time":{"count":8,"sum_seconds":2.4,"buckets":[0,6,0,)") !=
          std::string::npos);
    CHECK(without.find("\"rows\"") == std::string::npos);
    made.rows.resize(1);
    made.rows[0].path = "/\"\xFF";
    const RowPage page = select_rows(made.rows, {});
    const std::string with = as_json(made, {}, &page);
    CHECK(
        with.find(
            R"("rows":{"total":1,"matched":1,"page":1,"pages":1,"size":25,"q":"","sort":"age","order":"desc",)"
            R"("left_out":0,"tunnels":[{"id":"",)") != std::string::npos);
    CHECK(with.find(R"("path":"/\")"
                    "\xEF\xBF\xBD\",") != std::string::npos);
    CHECK(with.substr(with.size() - 5) == "}]}}\n");
}

}  // namespace
}  // namespace wsp
