// The kinds of failed connects, and for how long each keeps a pool from connecting ahead.
#pragma once

#include <cstdint>

#include "base/clock.hpp"

namespace wsp {

enum class ConnectFault : std::uint8_t {
#define WSP_CONNECT_FAULT(name, hold_down, text) name,
#include "pool/connect_faults.def"
#undef WSP_CONNECT_FAULT
};

// For log lines.
const char* text_of(ConnectFault fault) noexcept;

// After `in_a_row` failures (1 or more): doubles up to 32 times the first, and to no more than a
// minute.
DurationUs hold_down_after(ConnectFault fault, unsigned in_a_row) noexcept;

}  // namespace wsp
