// Sums over cells.
#include "metrics/snapshot.hpp"

#include <numeric>

namespace wsp {

std::uint64_t SeriesSnapshot::sum(Metric metric) const noexcept {
    const auto* const first = cells.data() + first_cell(metric);
    return std::accumulate(first, first + row_of(metric).cells, std::uint64_t{0});
}

std::uint64_t SeriesSnapshot::open() const noexcept {
    const std::uint64_t opened = at(Metric::opened);
    const std::uint64_t over = sum(Metric::ended);
    return opened > over ? opened - over : 0;
}

}  // namespace wsp
