// Leases, and which connections are kept, on a scripted network.
#include <catch2/catch.hpp>

#include "support/pool_rig.hpp"

using namespace wsp;
using namespace wsp::test;

TEST_CASE("the first lease is the permission to connect", "[pool]") {
    PoolRig rig(keeping(4));
    ConnectionPool::Lease lease = rig.acquire();
    REQUIRE(lease);
    CHECK(lease.is_connecting());
    CHECK_FALSE(lease.is_reused());
    CHECK(lease.connection() == nullptr);
    CHECK(rig.in(ConnectionState::connecting) == 1);
    lease.connected(rig.network.connect());
    CHECK_FALSE(lease.is_connecting());
    CHECK(lease.connection() != nullptr);
    CHECK(rig.in(ConnectionState::connecting) == 0);
    CHECK(rig.in(ConnectionState::lent) == 1);
}

TEST_CASE("a connection that is given back is lent again, the last one first", "[pool]") {
    PoolRig rig(keeping(4));
    ConnectionPool::Lease one = rig.connect(), two = rig.connect();
    const int first = fd_of(one), second = fd_of(two);
    one.give_back();
    rig.clock.time += kSecond;
    two.give_back();
    CHECK(rig.in(ConnectionState::idle) == 2);
    ConnectionPool::Lease again = rig.acquire();
    CHECK(again.is_reused());
    CHECK(fd_of(again) == second);
    CHECK(fd_of(rig.acquire()) == first);
    CHECK(rig.pool.statistics().reused == 2);
    CHECK(rig.pool.statistics().connects == 2);
}

TEST_CASE("the connection given back last is lent first, however old it is", "[pool]") {
    PoolRig rig(keeping(4));
    ConnectionPool::Lease older = rig.connect(), newer = rig.connect();
    const int fd = fd_of(older);
    newer.give_back();
    older.give_back();
    CHECK(fd_of(rig.acquire()) == fd);
}

TEST_CASE("a lease that is dropped closes its connection", "[pool]") {
    PoolRig rig(keeping(4));
    {
        const ConnectionPool::Lease lease = rig.connect();
        CHECK(rig.network.open == 1);
    }
    CHECK(rig.network.open == 0);
    CHECK(rig.in(ConnectionState::lent) == 0);
    CHECK(rig.acquire().is_connecting());
}

TEST_CASE("a permission that is dropped leaves nothing behind", "[pool]") {
    PoolRig rig(pacing(1));
    { const ConnectionPool::Lease lease = rig.acquire(); }
    CHECK(rig.in(ConnectionState::connecting) == 0);
    CHECK(rig.acquire().is_connecting());
    CHECK(rig.clock.waits == 0);
}

TEST_CASE("a connection that is taken no longer belongs to the pool", "[pool]") {
    PoolRig rig(keeping(4));
    std::unique_ptr<PooledConnection> tunnel = rig.connect().take();
    REQUIRE(tunnel);
    CHECK(rig.in(ConnectionState::lent) == 0);
    CHECK(rig.network.open == 1);
    rig.pool.shut_down();
    CHECK(rig.network.open == 1);
}

TEST_CASE("a lease moves with its connection", "[pool]") {
    PoolRig rig(keeping(4));
    ConnectionPool::Lease from = rig.connect();
    const int fd = fd_of(from);
    ConnectionPool::Lease to(std::move(from));
    CHECK_FALSE(from);
    CHECK(fd_of(to) == fd);
    ConnectionPool::Lease other = rig.connect();
    other = std::move(to);
    CHECK(fd_of(other) == fd);
    other.give_back();
    CHECK_FALSE(other);
    CHECK(rig.in(ConnectionState::idle) == 1);
}

TEST_CASE("a fresh connection is never one that was idle", "[pool]") {
    PoolRig rig(keeping(4));
    rig.refused();
    CHECK(rig.pool.acquire_fresh(rig.clock.time + kSecond, rig.fault).is_connecting());
    CHECK(rig.in(ConnectionState::idle) == 1);
}

TEST_CASE("no more are kept than max_idle", "[pool]") {
    PoolRig rig(keeping(1));
    ConnectionPool::Lease one = rig.connect(), two = rig.connect();
    one.give_back();
    two.give_back();
    CHECK(rig.network.open == 1);
    CHECK(rig.in(ConnectionState::idle) == 1);
}

TEST_CASE("none is kept without max_idle", "[pool]") {
    PoolRig rig(keeping(0));
    rig.connect().give_back();
    CHECK(rig.network.open == 0);
}

TEST_CASE("dead connections are passed over and closed", "[pool]") {
    PoolRig rig(keeping(4));
    ConnectionPool::Lease one = rig.connect(), two = rig.connect();
    auto* const alive = one.connection();
    static_cast<ScriptedNetwork::Connection*>(two.connection())->alive = false;
    one.give_back();
    two.give_back();
    const ConnectionPool::Lease lease = rig.acquire();
    CHECK(lease.connection() == alive);
    CHECK(rig.network.open == 1);
    CHECK(rig.network.peeks == 2);
    CHECK(rig.pool.statistics().died == 1);
    CHECK(rig.pool.statistics().reused == 1);
}

TEST_CASE("when all are dead, a new one is made", "[pool]") {
    PoolRig rig(keeping(4));
    ConnectionPool::Lease one = rig.connect();
    static_cast<ScriptedNetwork::Connection*>(one.connection())->alive = false;
    one.give_back();
    CHECK(rig.acquire().is_connecting());
    CHECK(rig.network.open == 0);
}

TEST_CASE("a connection is lent up to its ttl and no longer", "[pool]") {
    PoolRig rig(keeping(4, 10 * kSecond));
    rig.refused();
    rig.clock.time += 10 * kSecond - 1;
    rig.refused();  // which begins a new one
    CHECK(rig.pool.statistics().reused == 1);
    rig.clock.time += 10 * kSecond;
    CHECK(rig.acquire().is_connecting());
    CHECK(rig.network.open == 0);
    CHECK(rig.pool.statistics().reused == 1);
    CHECK(rig.pool.statistics().died == 0);  // and so it was closed for its age
}

TEST_CASE("no connection is looked at or closed with the lock held", "[pool]") {
    PoolRig rig(keeping(1, 10 * kSecond));
    int calls = 0;
    rig.network.on_peek = rig.network.on_close = [&] {
        ++calls;
        rig.pool.statistics();  // would wait for ever
    };
    ConnectionPool::Lease one = rig.connect(), two = rig.connect();
    one.give_back();
    two.give_back();  // surplus
    rig.acquire();    // a peek, and closed
    rig.refused();
    rig.clock.time += 10 * kSecond;
    rig.pool.sweep(kRoom, {});  // expired
    ConnectionPool::Lease dead = rig.connect();
    static_cast<ScriptedNetwork::Connection*>(dead.connection())->alive = false;
    const int fd = fd_of(dead);
    dead.give_back();
    rig.pool.sweep(kRoom, {fd});  // a peek, and closed
    rig.refused();
    rig.pool.close_idle();
    rig.refused();
    rig.pool.shut_down();
    CHECK(calls == 8);
    CHECK(rig.network.open == 0);
    rig.network.on_close = nullptr;
}
