// What a pool counts, and what its connections are doing, as vocabularies and as numbers. Values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "base/table.hpp"
#include "metrics/metrics.hpp"

namespace wsp {

enum class ConnectionState : std::uint8_t {
    connecting,
    idle,
    lent,       // a lease has it, or the pool is looking at it
    held_down,  // a failed connect, which keeps the pool from preconnecting for a while
    gone,
};
// The cells of Metric::pool_connections.
inline constexpr std::string_view kConnectionStateNames[] = {"connecting", "idle", "lent",
                                                             "held_down"};
inline constexpr std::size_t kConnectionStates = std::size(kConnectionStateNames);
static_assert(kConnectionStates == static_cast<std::size_t>(ConnectionState::gone));
static_assert(kConnectionStates == row_of(Metric::pool_connections).cells);

// All counts begin with the process.
struct PoolStatistics {
#define WSP_ROW(name) std::uint64_t name = 0;
#include "pool/pool_events.def"
    // How many connections are in each ConnectionState now.
    std::size_t in_state[kConnectionStates] = {};
    std::size_t in(ConnectionState state) const {
        return in_state[static_cast<std::size_t>(state)];
    }
};

enum class PoolEvent : std::uint8_t {
#define WSP_ROW(name) name,
#include "pool/pool_events.def"
};

template <>
struct Table<PoolEvent> {
    struct Row {
        std::string_view name;
        std::uint64_t PoolStatistics::*field;
    };
    static constexpr Row kRows[] = {
#define WSP_ROW(name) {#name, &PoolStatistics::name},
#include "pool/pool_events.def"
    };
};
static_assert(std::size(rows_of<PoolEvent>()) == row_of(Metric::pool_events).cells);

}  // namespace wsp
