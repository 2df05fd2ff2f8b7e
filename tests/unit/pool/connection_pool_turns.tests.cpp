// The order of requests when more of them want to connect than may.
#include <catch2/catch.hpp>

#include "support/pool_rig.hpp"

using namespace wsp;
using namespace wsp::test;

TEST_CASE("no more than max_connecting connect at a time", "[pool]") {
    PoolRig rig(pacing(2));
    const ConnectionPool::Lease one = rig.acquire(), two = rig.acquire();
    CHECK(rig.clock.waits == 0);
    const ConnectionPool::Lease three = rig.acquire(5 * kSecond);
    CHECK_FALSE(three);
    CHECK(rig.fault == AcquireFault::timed_out);
    CHECK(rig.clock.time == 1005 * kSecond);
    CHECK(rig.pool.statistics().waits == 1);
    CHECK(rig.pool.statistics().waits_timed_out == 1);
}

TEST_CASE("a waiting request goes on when another has connected", "[pool]") {
    PoolRig rig(pacing(1));
    ConnectionPool::Lease one = rig.acquire();
    rig.clock.meanwhile.push_back([&] { one.connected(rig.network.connect()); });
    const ConnectionPool::Lease two = rig.acquire();
    CHECK(two.is_connecting());
    CHECK(rig.clock.waits == 1);
}

TEST_CASE("a waiting request goes on when another has failed", "[pool]") {
    PoolRig rig(pacing(1));
    ConnectionPool::Lease one = rig.acquire();
    rig.clock.meanwhile.push_back([&] { one.failed(ConnectFault::refused); });
    CHECK(rig.acquire().is_connecting());
}

TEST_CASE("a waiting request takes a connection that becomes idle", "[pool]") {
    PoolRig rig(pacing(1, 4));
    ConnectionPool::Lease lent = rig.connect();
    const ConnectionPool::Lease connecting = rig.acquire();
    rig.clock.meanwhile.push_back([&] { lent.give_back(); });
    const ConnectionPool::Lease waiting = rig.acquire();
    CHECK(waiting.is_reused());
}

TEST_CASE("a request that wants a fresh connection does not take an idle one", "[pool]") {
    PoolRig rig(pacing(1, 4));
    ConnectionPool::Lease lent = rig.connect();
    const ConnectionPool::Lease connecting = rig.acquire();
    rig.clock.meanwhile.push_back([&] { lent.give_back(); });
    CHECK_FALSE(rig.pool.acquire_fresh(rig.clock.time + kSecond, rig.fault));
    CHECK(rig.fault == AcquireFault::timed_out);
}

TEST_CASE("first come, first served", "[pool]") {
    PoolRig rig(pacing(1));
    ConnectionPool::Lease one = rig.acquire(), late;
    bool late_had_its_turn = true;
    rig.clock.meanwhile.push_back([&] {  // while the second waits
        one.connected(rig.network.connect());
        AcquireFault fault;
        late = rig.pool.acquire(rig.clock.time, fault);  // may not wait
        late_had_its_turn = static_cast<bool>(late);
    });
    const ConnectionPool::Lease second = rig.acquire();
    CHECK(second.is_connecting());
    CHECK_FALSE(late_had_its_turn);
}

TEST_CASE("a connection that becomes idle is for the first waiter, not for a newcomer", "[pool]") {
    PoolRig rig(pacing(1, 4));
    ConnectionPool::Lease lent = rig.connect();
    const ConnectionPool::Lease connecting = rig.acquire();
    rig.clock.meanwhile.push_back([&] {
        lent.give_back();
        AcquireFault fault;
        CHECK_FALSE(rig.pool.acquire(rig.clock.time, fault));
        CHECK(fault == AcquireFault::timed_out);
    });
    CHECK(rig.acquire().is_reused());
}

TEST_CASE("a turn that comes at the last moment is taken", "[pool]") {
    PoolRig rig(pacing(1));
    ConnectionPool::Lease one = rig.acquire();
    rig.clock.meanwhile.push_back([&] {
        rig.clock.time += 2 * kSecond;
        one.connected(rig.network.connect());
    });
    CHECK(rig.acquire(kSecond).is_connecting());
}

TEST_CASE("a request whose idle connection is dead is counted as waiting once", "[pool]") {
    PoolRig rig(pacing(1, 4));
    ConnectionPool::Lease lent = rig.connect();
    static_cast<ScriptedNetwork::Connection*>(lent.connection())->alive = false;
    ConnectionPool::Lease connecting = rig.acquire();
    rig.clock.meanwhile.push_back([&] { lent.give_back(); });
    rig.clock.meanwhile.push_back([&] { connecting.failed(ConnectFault::refused); });
    CHECK(rig.acquire().is_connecting());
    CHECK(rig.clock.waits == 2);
    CHECK(rig.pool.statistics().waits == 1);
}

TEST_CASE("a request that waits for a fresh connection keeps no other from an idle one", "[pool]") {
    PoolRig rig(pacing(1, 4));
    ConnectionPool::Lease lent = rig.connect(), other;
    ConnectionPool::Lease connecting = rig.acquire();
    bool served_second = false;
    rig.clock.meanwhile.push_back([&] {  // the fresh one waits
        rig.clock.meanwhile.push_back([&] { lent.give_back(); });
        other = rig.acquire();
        served_second = other.is_reused();
        connecting.failed(ConnectFault::refused);
    });
    CHECK(rig.pool.acquire_fresh(rig.clock.time + kSecond, rig.fault).is_connecting());
    CHECK(served_second);
}

TEST_CASE("a request that waits for a fresh connection is not overtaken by one that would connect",
          "[pool]") {
    PoolRig rig(pacing(1, 4));
    ConnectionPool::Lease connecting = rig.acquire();
    rig.clock.meanwhile.push_back([&] {
        connecting.failed(ConnectFault::refused);
        AcquireFault fault;
        CHECK_FALSE(rig.pool.acquire(rig.clock.time, fault));
    });
    CHECK(rig.pool.acquire_fresh(rig.clock.time + kSecond, rig.fault).is_connecting());
}

TEST_CASE("an expired connection serves no waiting request", "[pool]") {
    PoolLimits limits = pacing(1, 4);
    limits.ttl = kSecond;
    PoolRig rig(limits);
    rig.connect().give_back();
    ConnectionPool::Lease connecting = rig.pool.acquire_fresh(kNever, rig.fault);
    rig.clock.time += kSecond;
    rig.clock.meanwhile.push_back([&] { connecting.failed(ConnectFault::refused); });
    CHECK(rig.acquire().is_connecting());
    CHECK(rig.clock.waits == 1);
    CHECK(rig.network.open == 0);
}
