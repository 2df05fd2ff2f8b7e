// Why a connect has failed, and for how long each kind of failure keeps a pool from preconnecting (the hold-down).
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

// The hold-down after `in_a_row` failures, 1 or more. It doubles with each failure up to 32 times the first hold-down,
// and is never longer than a minute.
DurationUs hold_down_after(ConnectFault fault, unsigned in_a_row) noexcept;

}  // namespace wsp
