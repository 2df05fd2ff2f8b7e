// Cells of close codes and of histograms.
#include "metrics/metrics.hpp"

#include <algorithm>
#include <iterator>

namespace wsp {
namespace {

constexpr std::size_t kNamedCodes = 16;  // from 1000 on

}  // namespace

std::size_t cell_of_close_code(std::uint16_t code) noexcept {
    if (code >= 1000 && code < 1000 + kNamedCodes) {
        return code - 1000U;
    }
    if (code >= 3000 && code < 5000) {
        return code < 4000 ? kNamedCodes + 1 : kNamedCodes + 2;
    }
    return kNamedCodes;
}

std::string_view name_of_close_code_cell(std::size_t cell) noexcept {
    static constexpr std::string_view kNames[] = {
        "1000", "1001", "1002", "1003", "1004", "1005", "1006",  "1007", "1008", "1009",
        "1010", "1011", "1012", "1013", "1014", "1015", "other", "3xxx", "4xxx"};
    static_assert(std::size(kNames) == kCloseCodeCells);
    return kNames[cell];
}

std::size_t bucket_of(DurationUs time) noexcept {
    const auto* const bound =
        std::lower_bound(std::begin(kHistogramBounds), std::end(kHistogramBounds), time);
    return static_cast<std::size_t>(bound - std::begin(kHistogramBounds));
}

}  // namespace wsp
