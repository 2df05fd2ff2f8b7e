// How long a pool waits after failed connects.
#include "pool/connect_fault.hpp"

#include <algorithm>

namespace wsp {

DurationUs hold_down_after(ConnectFault fault, unsigned in_a_row) noexcept {
    constexpr unsigned kMostDoublings = 5;
    constexpr DurationUs kLongest = 60 * kSecond;
    const unsigned doublings = std::min(in_a_row > 0 ? in_a_row - 1 : 0, kMostDoublings);
    return std::min(row_of(fault).hold_down << doublings, kLongest);
}

}  // namespace wsp
