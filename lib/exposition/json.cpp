// The report from top to bottom.
#include "exposition/json.hpp"

#include "exposition/json_writer.hpp"

namespace wsp {
namespace {

// Of a histogram: how many, their sum, and how many are in each bucket (not cumulated).
void write_histogram(JsonWriter& json, const SeriesSnapshot& series, Metric metric) {
    json.open('{').key("count").number(count_of(series, metric));
    json.key("sum_seconds").seconds(sum_of(series, metric)).key("buckets").open('[');
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
        json.number(series.at(metric, bucket));
    }
    json.close(']').close('}');
}

// Cells that have a name; those of a long list only where they are not 0.
void write_cells(JsonWriter& json, const SeriesSnapshot& series, Metric metric,
                 DescribeCell describe) {
    const bool leaves_out_zeros = row_of(metric).cells > 8;
    json.open('{');
    for (std::size_t cell = 0; cell < row_of(metric).cells; ++cell) {
        const std::string_view name = describe(metric, cell).name;
        const std::uint64_t number = series.at(metric, cell);
        if (!name.empty() && (number != 0 || !leaves_out_zeros)) {
            json.key(name).number(number);
        }
    }
    json.close('}');
}

void write_metrics(JsonWriter& json, const SeriesSnapshot& series, MetricScope scope,
                   DescribeCell describe) {
    for (std::size_t i = 0; i < kMetrics; ++i) {
        const auto metric = static_cast<Metric>(i);
        const auto& row = row_of(metric);
        if (row.scope != scope) {
            continue;
        }
        json.key(row.name);
        if (row.type == MetricType::histogram) {
            write_histogram(json, series, metric);
        } else if (row.label.empty()) {
            json.number(series.at(metric));
        } else {
            write_cells(json, series, metric, describe);
        }
    }
}

void write_series(JsonWriter& json, const StatusReport& report) {
    json.key("series").open('[');
    for (const SeriesSnapshot& series : report.snapshot.series) {
        json.open('{').key("vhost").text(series.vhost).key("backend").text(series.backend);
        json.key("paused").flag(series.paused).key("open").number(series.open());
        write_metrics(json, series, MetricScope::series, report.describe);
        json.close('}');
    }
    json.close(']');
}

void write_last_hour(JsonWriter& json, const StatusReport& report) {
    json.key("ended_by_minute").open('[');
    for (const auto& minute : report.snapshot.ended_by_minute) {
        json.open('{');
        for (std::size_t cell = 0; cell < minute.ended.size(); ++cell) {
            const std::string_view name = report.describe(Metric::ended, cell).name;
            if (!name.empty() && minute.ended[cell] != 0) {
                json.key(name).number(minute.ended[cell]);
            }
        }
        json.close('}');
    }
    json.close(']');
}

void write_row(JsonWriter& json, const TunnelRow& row) {
    json.open('{');
    for (std::size_t i = 0; i < kRowColumns; ++i) {
        const auto column = static_cast<RowColumn>(i);
        const RowValue value = value_of(row, column);
        json.key(row_of(column).exported);
        switch (row_of(column).kind) {
            case ColumnKind::count:
                json.number(value.number);
                break;
            case ColumnKind::time:
                json.seconds(value.number);
                break;
            case ColumnKind::flag:
                json.flag(value.number != 0);
                break;
            default:
                json.text(value.text);
        }
    }
    json.close('}');
}

void write_rows(JsonWriter& json, const StatusReport& report, const RowQuery& query,
                const RowPage& page) {
    json.key("rows").open('{').key("total").number(page.total).key("matched").number(page.matched);
    json.key("page").number(page.page).key("pages").number(page.pages);
    json.key("size").number(query.size).key("q").text(query.text);
    json.key("sort").text(name_of(query.sort)).key("order").text(query.descending ? "desc" : "asc");
    json.key("left_out").number(report.left_out);
    json.key("tunnels").open('[');
    for (const TunnelRow* const row : page.rows) {
        write_row(json, *row);
    }
    json.close(']').close('}');
}

}  // namespace

std::string as_json(const StatusReport& report, const RowQuery& query, const RowPage* page) {
    std::string out;
    JsonWriter json(out);
    json.open('{').key("server").open('{').key("name").text(report.server_name);
    json.key("version").text(report.version).key("now").number(report.snapshot.taken_at);
    json.key("started_at").number(report.snapshot.started_at);
    json.key("children").number(report.snapshot.children);
    json.key("asked").flag(report.asked).key("silent_processes").number(report.silent);
    write_metrics(json, report.snapshot.server, MetricScope::server, report.describe);
    json.close('}').key("bucket_bounds_seconds").open('[');
    for (const DurationUs bound : kHistogramBounds) {
        json.seconds(bound);
    }
    const SeriesSnapshot total = total_of(report.snapshot);
    json.close(']').key("total").open('{').key("open").number(total.open());
    write_metrics(json, total, MetricScope::series, report.describe);
    json.close('}');
    write_series(json, report);
    write_last_hour(json, report);
    if (page != nullptr) {
        write_rows(json, report, query, *page);
    }
    json.close('}');
    out += '\n';
    return out;
}

}  // namespace wsp
