// Sums and quantiles.
#include "exposition/status_report.hpp"

#include <cmath>
#include <numeric>

namespace wsp {

SeriesSnapshot total_of(const ServerSnapshot& snapshot) {
    SeriesSnapshot total;
    for (const SeriesSnapshot& series : snapshot.series) {
        for (std::size_t i = 0; i < kCells; ++i) {
            total.cells[i] += series.cells[i];
        }
    }
    return total;
}

std::uint64_t count_of(const SeriesSnapshot& series, Metric histogram) noexcept {
    const auto* const first = series.cells.data() + first_cell(histogram);
    return std::accumulate(first, first + kBuckets, std::uint64_t{0});
}

DurationUs sum_of(const SeriesSnapshot& series, Metric histogram) noexcept {
    return static_cast<DurationUs>(series.at(histogram, kBuckets));
}

DurationUs mean_of(const SeriesSnapshot& series, Metric histogram) noexcept {
    const std::uint64_t count = count_of(series, histogram);
    return count == 0 ? kNever : sum_of(series, histogram) / static_cast<DurationUs>(count);
}

DurationUs quantile_of(const SeriesSnapshot& series, Metric histogram, double share) noexcept {
    const std::uint64_t count = count_of(series, histogram);
    if (count == 0) {
        return 0;
    }
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count)));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket + 1 < kBuckets; ++bucket) {
        seen += series.at(histogram, bucket);
        if (seen >= wanted) {
            return kHistogramBounds[bucket];
        }
    }
    return kNever;
}

}  // namespace wsp
