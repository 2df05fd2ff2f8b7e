// What is counted, as a vocabulary (metrics.def), and how its numbers are laid out: each metric has one or several
// cells, and all cells of a series stand in one row. Values only; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.hpp"
#include "base/table.hpp"

namespace wsp {

// The upper bounds of a histogram's buckets. One more bucket, without a bound, and the sum of all times follow.
inline constexpr DurationUs kHistogramBounds[] = {100,
                                                  500,
                                                  1000,
                                                  5000,
                                                  10'000,
                                                  50'000,
                                                  100'000,
                                                  500'000,
                                                  kSecond,
                                                  5 * kSecond,
                                                  10 * kSecond,
                                                  60 * kSecond,
                                                  600 * kSecond,
                                                  3600 * kSecond,
                                                  6 * 3600 * kSecond,
                                                  24 * 3600 * kSecond};
inline constexpr std::size_t kBuckets = std::size(kHistogramBounds) + 1;
inline constexpr std::size_t kHistogramCells = kBuckets + 1;

// 1000 to 1015, then the rest up to 2999, 3000 to 3999, 4000 to 4999.
inline constexpr std::size_t kCloseCodeCells = 19;
std::size_t cell_of_close_code(std::uint16_t code) noexcept;
// "1000" to "1015", "other", "3xxx", "4xxx".
std::string_view name_of_close_code_cell(std::size_t cell) noexcept;

enum class MetricType : std::uint8_t { counter, gauge, histogram };
enum class MetricScope : std::uint8_t { series, server };

enum class Metric : std::uint8_t {
#define WSP_ROW(name, ...) name,
#include "metrics/metrics.def"
};

template <>
struct Table<Metric> {
    struct Row {
        std::string_view name;
        std::string_view exported;
        MetricType type;
        MetricScope scope;
        std::size_t cells;
        std::string_view label;
        std::string_view unit;
        std::string_view help;
    };
    static constexpr Row kRows[] = {
#define WSP_ROW(name, exported, type, scope, cells, label, unit, help) \
    {#name, exported, MetricType::type, MetricScope::scope, cells, label, unit, help},
#include "metrics/metrics.def"
    };
};

inline constexpr std::size_t kMetrics = std::size(Table<Metric>::kRows);

// Where each metric's cells begin in a series, and where the last one's end.
struct FirstCells {
    constexpr FirstCells() {
        for (std::size_t i = 0; i < kMetrics; ++i) {
            of[i + 1] = of[i] + Table<Metric>::kRows[i].cells;
        }
    }
    std::size_t of[kMetrics + 1] = {};
};
inline constexpr FirstCells kFirstCells;
constexpr std::size_t first_cell(Metric metric) noexcept {
    return kFirstCells.of[static_cast<std::size_t>(metric)];
}
inline constexpr std::size_t kCells = kFirstCells.of[kMetrics];

// The bucket that a time falls into.
std::size_t bucket_of(DurationUs time) noexcept;

}  // namespace wsp
