// Preconnecting, and when it is held down.
#include <catch2/catch.hpp>

#include "support/pool_rig.hpp"

using namespace wsp;
using namespace wsp::test;

TEST_CASE("nothing is preconnected before the first request", "[pool]") {
    PoolRig rig(preconnecting(3));
    CHECK(rig.preconnect() == 0);
    rig.acquire();
    CHECK(rig.preconnect() == 3);
    CHECK(rig.in(ConnectionState::idle) == 3);
    CHECK(rig.pool.statistics().preconnects == 3);
    rig.pool.acquire_fresh(rig.clock.time, rig.fault).connected(rig.network.connect());
    CHECK(rig.pool.statistics().preconnects == 3);
    CHECK(rig.pool.statistics().connects == 4);
}

TEST_CASE("a preconnected connection that is lent is replaced", "[pool]") {
    PoolRig rig(preconnecting(2));
    rig.acquire();
    rig.preconnect();
    CHECK(rig.counted(Metric::pool_warm) == 2);
    ConnectionPool::Lease lease = rig.acquire();
    CHECK(lease.is_reused());
    CHECK(rig.counted(Metric::pool_warm) == 1);
    CHECK(rig.preconnect() == 1);
    CHECK(rig.counted(Metric::pool_warm) == 2);
    lease.give_back();  // idle, and no longer new
    CHECK(rig.counted(Metric::pool_warm) == 2);
}

TEST_CASE("a preconnect that has not ended counts", "[pool]") {
    PoolRig rig(preconnecting(2));
    rig.acquire();
    const ConnectionPool::Lease one = rig.pool.preconnect_lease(kRoom),
                                two = rig.pool.preconnect_lease(kRoom);
    CHECK(two);
    CHECK_FALSE(rig.pool.preconnect_lease(kRoom));
}

TEST_CASE("a preconnected connection that is not idle yet counts", "[pool]") {
    PoolRig rig(preconnecting(1));
    rig.acquire();
    ConnectionPool::Lease made = rig.pool.preconnect_lease(kRoom);
    made.connected(rig.network.connect());
    CHECK_FALSE(rig.pool.preconnect_lease(kRoom));
    made.give_back();
    const ConnectionPool::Lease lent = rig.acquire();  // and then it is a request's
    CHECK(rig.pool.preconnect_lease(kRoom));
}

TEST_CASE("no more are preconnected than the backend has room for", "[pool]") {
    PoolRig rig(preconnecting(5));
    rig.acquire();
    CHECK(rig.preconnect(2) == 2);
    CHECK(rig.preconnect(0) == 0);
    rig.pool.sweep(1, {});
    CHECK(rig.in(ConnectionState::idle) == 1);
}

TEST_CASE("nothing is preconnected when no request has come for long", "[pool]") {
    PoolRig rig(preconnecting(1));
    rig.acquire();
    rig.clock.time += ConnectionPool::kRestAfter - 1;
    CHECK(rig.preconnect() == 1);
    rig.pool.close_idle();
    rig.clock.time += 1;
    CHECK(rig.preconnect() == 0);
    rig.acquire();
    CHECK(rig.preconnect() == 1);
}

TEST_CASE("requests that wait come before preconnecting", "[pool]") {
    PoolLimits limits = pacing(1);
    limits.preconnect = 1;
    PoolRig rig(limits);
    ConnectionPool::Lease one = rig.acquire();
    CHECK_FALSE(rig.pool.preconnect_lease(kRoom));  // the only turn is taken
    bool preconnecting_went_on = true;
    rig.clock.meanwhile.push_back([&] {
        one.connected(rig.network.connect());
        preconnecting_went_on = static_cast<bool>(rig.pool.preconnect_lease(kRoom));
    });
    CHECK(rig.acquire().is_connecting());
    CHECK_FALSE(preconnecting_went_on);
}

TEST_CASE("a request that waits gets a preconnected connection", "[pool]") {
    PoolLimits limits = pacing(2);
    limits.preconnect = 1;
    PoolRig rig(limits);
    ConnectionPool::Lease request = rig.acquire(), preconnect = rig.pool.preconnect_lease(kRoom);
    rig.clock.meanwhile.push_back([&] {
        preconnect.connected(rig.network.connect());
        preconnect.give_back();
    });
    const ConnectionPool::Lease waiting = rig.acquire();
    CHECK(waiting);
    CHECK_FALSE(request.connection());
}

TEST_CASE("each kind of failure holds down for its own time, doubled in a row", "[pool]") {
    CHECK(hold_down_after(ConnectFault::refused, 1) == 500 * kMillisecond);
    CHECK(hold_down_after(ConnectFault::refused, 2) == kSecond);
    CHECK(hold_down_after(ConnectFault::refused, 6) == 16 * kSecond);
    CHECK(hold_down_after(ConnectFault::refused, 60) == 16 * kSecond);
    CHECK(hold_down_after(ConnectFault::timed_out, 1) == 5 * kSecond);
    CHECK(hold_down_after(ConnectFault::timed_out, 6) == 60 * kSecond);
    CHECK(hold_down_after(ConnectFault::stopped, 3) == 0);
    CHECK(text_of(ConnectFault::refused) == "the connection was refused");
}

TEST_CASE("after a failure nothing is preconnected until the hold-down is over", "[pool]") {
    PoolRig rig(preconnecting(1));
    rig.acquire();
    rig.pool.preconnect_lease(kRoom).failed(ConnectFault::unreachable);
    CHECK(rig.in(ConnectionState::held_down) == 1);
    CHECK(rig.pool.sweep(kRoom, {}) == rig.clock.time + 2 * kSecond);
    rig.clock.time += 2 * kSecond - 1;
    CHECK_FALSE(rig.pool.preconnect_lease(kRoom));
    rig.clock.time += 1;
    rig.pool.preconnect_lease(kRoom).failed(ConnectFault::unreachable);
    CHECK(rig.pool.sweep(kRoom, {}) == rig.clock.time + 4 * kSecond);
    CHECK(rig.in(ConnectionState::held_down) == 1);
    CHECK(rig.pool.statistics().connects_failed == 2);
}

TEST_CASE("requests are not held down, and their success ends it", "[pool]") {
    PoolRig rig(preconnecting(1));
    rig.acquire();
    rig.pool.preconnect_lease(kRoom).failed(ConnectFault::tls_failed);
    CHECK_FALSE(rig.pool.preconnect_lease(kRoom));
    const ConnectionPool::Lease lease = rig.connect();
    CHECK(rig.in(ConnectionState::held_down) == 0);
    rig.pool.preconnect_lease(kRoom).failed(ConnectFault::refused);
    CHECK(rig.pool.sweep(kRoom, {}) == rig.clock.time + 500 * kMillisecond);  // the first again
}

TEST_CASE("a thousand failed requests are one hold-down", "[pool]") {
    PoolRig rig(preconnecting(1));
    for (int i = 0; i < 1000; ++i) {
        rig.clock.time += kMillisecond;
        rig.acquire().failed(ConnectFault::refused);
    }
    CHECK(rig.in(ConnectionState::held_down) == 1);
    CHECK(rig.pool.statistics().connects_failed == 1000);
    CHECK(rig.pool.sweep(kRoom, {}) == rig.clock.time + 500 * kMillisecond);
    rig.clock.time += 500 * kMillisecond;
    rig.pool.preconnect_lease(kRoom).failed(ConnectFault::refused);  // the second in the row
    CHECK(rig.pool.sweep(kRoom, {}) == rig.clock.time + kSecond);
}

TEST_CASE("a worse failure makes the hold-down longer, a lesser one not shorter", "[pool]") {
    PoolRig rig(preconnecting(1));
    ConnectionPool::Lease refused = rig.acquire(), late = rig.acquire(), last = rig.acquire();
    refused.failed(ConnectFault::refused);
    late.failed(ConnectFault::timed_out);
    CHECK(rig.pool.sweep(kRoom, {}) == rig.clock.time + 5 * kSecond);
    last.failed(ConnectFault::refused);
    CHECK(rig.pool.sweep(kRoom, {}) == rig.clock.time + 5 * kSecond);
    CHECK(rig.in(ConnectionState::held_down) == 1);
}
