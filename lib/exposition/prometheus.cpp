// Family by family, since a family's samples must stand together.
#include "exposition/prometheus.hpp"

#include <algorithm>
#include <cstdlib>

#include "exposition/text.hpp"
#include "protocol/header_tokens.hpp"

namespace wsp {
namespace {

// What is exported besides the metrics themselves.
struct Derived {
    std::string_view name;
    std::string_view unit;
    std::string_view help;
    std::uint64_t (*value)(const ServerSnapshot&, const SeriesSnapshot&);
    bool of_series;
};
using S = ServerSnapshot;
using R = SeriesSnapshot;
constexpr Derived kDerived[] = {
    {"apache_websocket_tunnels_open", "", "Tunnels that are open.",
     [](const S&, const R& series) { return series.open(); }, true},
    {"apache_websocket_paused", "", "1 where no new tunnels are taken, by an operator's order.",
     [](const S&, const R& series) { return std::uint64_t{series.paused}; }, true},
    {"apache_websocket_children", "", "Child processes that hold tunnels, or have held one.",
     [](const S& all, const R&) { return std::uint64_t{all.children}; }, false},
    {"apache_websocket_start_time_seconds", "seconds",
     "Since when is counted, in seconds since 1970.",
     [](const S& all, const R&) { return static_cast<std::uint64_t>(all.started_at); }, false},
};

std::string labels_of(const SeriesSnapshot& series) {
    std::string labels = "vhost=\"";
    append_label(labels, series.vhost);
    labels += "\",backend=\"";
    append_label(labels, series.backend);
    labels += '"';
    return labels;
}

bool leaves_out_zeros(Metric metric) noexcept {
    return metric == Metric::refused || metric == Metric::close_codes;
}

class Writer {
  public:
    Writer(const StatusReport& report, PrometheusFormat format)
        : report_(report), openmetrics_(format == PrometheusFormat::openmetrics) {}

    std::string write() {
        write_build();
        for (const Derived& derived : kDerived) {
            write_derived(derived);
        }
        for (std::size_t i = 0; i < kMetrics; ++i) {
            write_metric(static_cast<Metric>(i));
        }
        out_ += openmetrics_ ? "# EOF\n" : "";
        return std::move(out_);
    }

  private:
    void comment(std::string_view keyword, std::string_view name, std::string_view text) {
        out_.append("# ").append(keyword).append(" ").append(name).append(" ").append(text) += '\n';
    }

    void head(std::string_view name, std::string_view type, std::string_view unit,
              std::string_view help) {
        comment("TYPE", name, type);
        if (openmetrics_ && !unit.empty()) {
            comment("UNIT", name, unit);
        }
        comment("HELP", name, help);
    }

    // "name{labels,more=value} "; the caller appends the number and ends the line.
    void begin_sample(std::string_view name, std::string_view labels, std::string_view more = {},
                      std::string_view value = {}) {
        out_ += name;
        if (!labels.empty() || !more.empty()) {
            out_ += '{';
            out_ += labels;
            if (!more.empty()) {
                out_.append(labels.empty() ? "" : ",").append(more).append("=\"");
                append_label(out_, value);
                out_ += '"';
            }
            out_ += '}';
        }
        out_ += ' ';
    }

    void sample(std::uint64_t number, std::string_view name, std::string_view labels,
                std::string_view more = {}, std::string_view value = {}) {
        begin_sample(name, labels, more, value);
        append_number(out_, number);
        out_ += '\n';
    }

    // OpenMetrics has a type for it, of which the last part of the name is a suffix.
    void write_build() {
        constexpr std::string_view kName = "apache_websocket_build_info";
        head(openmetrics_ ? kName.substr(0, kName.rfind('_')) : kName,
             openmetrics_ ? "info" : "gauge", "", "The version of mod_proxy_websocket.");
        sample(1, kName, "", "version", report_.version);
    }

    void write_derived(const Derived& derived) {
        head(derived.name, "gauge", derived.unit, derived.help);
        if (!derived.of_series) {
            sample(derived.value(report_.snapshot, report_.snapshot.server), derived.name, "");
            return;
        }
        for (const SeriesSnapshot& series : report_.snapshot.series) {
            sample(derived.value(report_.snapshot, series), derived.name, labels_of(series));
        }
    }

    void write_metric(Metric metric) {
        const auto& row = row_of(metric);
        static constexpr std::string_view kTypes[] = {"counter", "gauge", "histogram"};
        std::string family(row.exported);
        // OpenMetrics names the family, and its counter's sample has the suffix.
        if (row.type == MetricType::counter && !openmetrics_) {
            family += "_total";
        }
        head(family, kTypes[static_cast<std::size_t>(row.type)], row.unit, row.help);
        if (row.scope == MetricScope::server) {
            write_series(metric, report_.snapshot.server, "");
            return;
        }
        for (const SeriesSnapshot& series : report_.snapshot.series) {
            write_series(metric, series, labels_of(series));
        }
    }

    void write_series(Metric metric, const SeriesSnapshot& series, const std::string& labels) {
        const auto& row = row_of(metric);
        if (row.type == MetricType::histogram) {
            write_histogram(metric, series, labels);
            return;
        }
        std::string name(row.exported);
        name += row.type == MetricType::counter ? "_total" : "";
        for (std::size_t cell = 0; cell < row.cells; ++cell) {
            const std::uint64_t number = series.at(metric, cell);
            if (row.label.empty()) {
                sample(number, name, labels);
                continue;
            }
            const std::string_view value = report_.describe(metric, cell).name;
            if (!value.empty() && (number != 0 || !leaves_out_zeros(metric))) {
                sample(number, name, labels, row.label, value);
            }
        }
    }

    void write_histogram(Metric metric, const SeriesSnapshot& series, const std::string& labels) {
        const std::string name(row_of(metric).exported);
        std::uint64_t count = 0;
        for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
            count += series.at(metric, bucket);
            sample(count, name + "_bucket", labels, "le", bound_of(bucket));
        }
        begin_sample(name + "_sum", labels);
        append_seconds(out_, sum_of(series, metric));
        out_ += '\n';
        sample(count, name + "_count", labels);
    }

    // With a point, as OpenMetrics wants it: so both formats have the same labels.
    static std::string bound_of(std::size_t bucket) {
        if (bucket + 1 == kBuckets) {
            return "+Inf";
        }
        std::string bound;
        append_seconds(bound, kHistogramBounds[bucket]);
        return bound.find('.') == std::string::npos ? bound + ".0" : bound;
    }

    const StatusReport& report_;
    const bool openmetrics_;
    std::string out_;
};

// Of one element of an Accept header. A quality that is no number counts as 0.
double quality_of(std::string_view element) {
    const std::size_t at = element.find("q=");
    if (at == std::string_view::npos) {
        return 1;
    }
    return std::strtod(std::string(element.substr(at + 2)).c_str(), nullptr);
}

}  // namespace

PrometheusFormat choose_format(std::string_view accept) {
    double openmetrics = 0;
    double text = 0;
    std::string_view element;
    while (next_element(accept, element)) {
        const std::string_view type = trim(element.substr(0, element.find(';')));
        if (iequals(type, "application/openmetrics-text")) {
            openmetrics = std::max(openmetrics, quality_of(element));
        } else if (iequals(type, "text/plain")) {
            text = std::max(text, quality_of(element));
        }
    }
    return openmetrics > 0 && openmetrics >= text ? PrometheusFormat::openmetrics
                                                  : PrometheusFormat::text;
}

std::string_view content_type_of(PrometheusFormat format) noexcept {
    return format == PrometheusFormat::openmetrics
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}

std::string as_prometheus(const StatusReport& report, PrometheusFormat format) {
    return Writer(report, format).write();
}

}  // namespace wsp
