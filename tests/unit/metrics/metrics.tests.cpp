// Cells and buckets.
#include "metrics/metrics.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "metrics/snapshot.hpp"

namespace wsp {
namespace {

TEST_CASE("every close code has a cell", "[metrics]") {
    struct Case {
        std::uint16_t code;
        std::string_view name;
    };
    const Case cases[] = {{1000, "1000"},  {1006, "1006"},  {1015, "1015"}, {1016, "other"},
                          {2999, "other"}, {3000, "3xxx"},  {3999, "3xxx"}, {4000, "4xxx"},
                          {4999, "4xxx"},  {5000, "other"}, {999, "other"}, {0, "other"},
                          {65535, "other"}};
    for (const auto& [code, name] : cases) {
        INFO(code);
        CHECK(name_of_close_code_cell(cell_of_close_code(code)) == name);
    }
}

TEST_CASE("a time falls into the first bucket that it does not exceed", "[metrics]") {
    CHECK(bucket_of(0) == 0);
    CHECK(bucket_of(100) == 0);
    CHECK(bucket_of(101) == 1);
    CHECK(bucket_of(24 * 3600 * kSecond) == kBuckets - 2);
    CHECK(bucket_of(24 * 3600 * kSecond + 1) == kBuckets - 1);
}

TEST_CASE("metrics have names of their own, and cells that do not overlap", "[metrics]") {
    std::set<std::string_view> names;
    std::size_t next = 0;
    for (std::size_t i = 0; i < kMetrics; ++i) {
        const auto metric = static_cast<Metric>(i);
        CHECK(names.insert(row_of(metric).exported).second);
        CHECK(first_cell(metric) == next);
        next += row_of(metric).cells;
    }
    CHECK(next == kCells);
}

TEST_CASE("what has been opened and has not ended is open", "[metrics]") {
    SeriesSnapshot series;
    series.cells[first_cell(Metric::opened)] = 5;
    series.cells[first_cell(Metric::ended) + 1] = 2;
    series.cells[first_cell(Metric::ended) + 7] = 1;
    CHECK(series.open() == 2);
    series.cells[first_cell(Metric::ended) + 7] = 9;
    CHECK(series.open() == 0);
}

}  // namespace
}  // namespace wsp
