// A pool on a scripted network and clock, and limits for it.
#pragma once

#include <catch2/catch.hpp>
#include <memory>

#include "pool/connection_pool.hpp"
#include "support/scripted_network.hpp"

namespace wsp::test {

constexpr std::size_t kRoom = 1000;

struct PoolRig {
    explicit PoolRig(PoolLimits limits) : pool(limits, clock, {*block, *minutes, 0, true}) {}
    // Whatever a test does, what the pool counts for others is what it knows itself.
    ~PoolRig() {
        const PoolStatistics own = pool.statistics();
        for (std::size_t state = 0; state < kConnectionStates; ++state) {
            CHECK(counted(Metric::pool_connections, state) == own.in_state[state]);
        }
        for (std::size_t event = 0; event < std::size(rows_of<PoolEvent>()); ++event) {
            CHECK(counted(Metric::pool_events, event) == own.*rows_of<PoolEvent>()[event].field);
        }
        CHECK(counted(Metric::pool_waiting) == 0);
    }
    std::uint64_t counted(Metric metric, std::size_t cell = 0) const {
        return block->cells[first_cell(metric) + cell].load();
    }

    ConnectionPool::Lease acquire(DurationUs patience = kSecond) {
        return pool.acquire(clock.time + patience, fault);
    }
    // A request that connects: its lease.
    ConnectionPool::Lease connect() {
        ConnectionPool::Lease lease = acquire();
        REQUIRE(lease.is_connecting());
        lease.connected(network.connect());
        return lease;
    }
    // A request whose upgrade is refused, on whatever connection there is.
    void refused() {
        ConnectionPool::Lease lease = acquire();
        REQUIRE(lease);
        if (lease.is_connecting()) {
            lease.connected(network.connect());
        }
        lease.give_back();
    }
    // Preconnects as often as the pool allows: how often.
    int preconnect(std::size_t room = kRoom) {
        int made = 0;
        while (ConnectionPool::Lease lease = pool.preconnect_lease(room)) {
            lease.connected(network.connect());
            lease.give_back();
            ++made;
        }
        return made;
    }
    std::size_t in(ConnectionState state) const { return pool.statistics().in(state); }

    const std::unique_ptr<CellBlock> block = std::make_unique<CellBlock>();
    const std::unique_ptr<MinuteRing> minutes = std::make_unique<MinuteRing>();
    ScriptedNetwork network;
    ScriptedClock clock;
    AcquireFault fault = AcquireFault::none;
    ConnectionPool pool;
};

inline PoolLimits keeping(std::size_t max_idle, DurationUs ttl = 0) {
    PoolLimits limits;
    limits.max_idle = max_idle;
    limits.ttl = ttl;
    return limits;
}

inline PoolLimits preconnecting(std::size_t count) {
    PoolLimits limits;
    limits.preconnect = count;
    return limits;
}

inline PoolLimits pacing(std::size_t max_connecting, std::size_t max_idle = 0) {
    PoolLimits limits = keeping(max_idle);
    limits.max_connecting = max_connecting;
    return limits;
}

inline int fd_of(const ConnectionPool::Lease& lease) {
    return lease.connection()->fd();
}

}  // namespace wsp::test
