// Why a connect has failed, and for how long each kind of failure keeps a pool from preconnecting (the hold-down).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.hpp"
#include "base/table.hpp"

namespace wsp {

enum class ConnectFault : std::uint8_t {
#define WSP_ROW(name, ...) name,
#include "pool/connect_faults.def"
};

template <>
struct Table<ConnectFault> {
    struct Row {
        std::string_view name;
        DurationUs hold_down;
        std::string_view text;
    };
    static constexpr Row kRows[] = {
#define WSP_ROW(name, hold_down, text) {#name, hold_down, text},
#include "pool/connect_faults.def"
    };
};

// The hold-down after `in_a_row` failures, 1 or more. It doubles with each failure up to 32 times the first hold-down,
// and is never longer than a minute.
DurationUs hold_down_after(ConnectFault fault, unsigned in_a_row) noexcept;

}  // namespace wsp
