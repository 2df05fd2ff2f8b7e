// Functions over the rows of connect_faults.def.
#include "pool/connect_fault.hpp"

#include <algorithm>

namespace wsp {

const char* text_of(ConnectFault fault) noexcept {
    switch (fault) {
#define WSP_CONNECT_FAULT(name, hold_down, text) \
    case ConnectFault::name:                     \
        return text;
#include "pool/connect_faults.def"
#undef WSP_CONNECT_FAULT
    }
    return "failed";
}

DurationUs hold_down_after(ConnectFault fault, unsigned in_a_row) noexcept {
    constexpr unsigned kMostDoublings = 5;
    constexpr DurationUs kLongest = 60 * kSecond;
    DurationUs first = 0;
    switch (fault) {
#define WSP_CONNECT_FAULT(name, hold_down, text) \
    case ConnectFault::name:                     \
        first = hold_down;                       \
        break;
#include "pool/connect_faults.def"
#undef WSP_CONNECT_FAULT
    }
    const unsigned doublings = std::min(in_a_row > 0 ? in_a_row - 1 : 0, kMostDoublings);
    return std::min(first << doublings, kLongest);
}

}  // namespace wsp
