// Looking after idle connections: which are closed, and what that says about the server.
#include <catch2/catch.hpp>
#include <vector>

#include "support/pool_rig.hpp"

using namespace wsp;
using namespace wsp::test;

TEST_CASE("an idle connection that is readable is looked at", "[pool]") {
    PoolRig rig(keeping(4));
    ConnectionPool::Lease one = rig.connect(), two = rig.connect();
    static_cast<ScriptedNetwork::Connection*>(one.connection())->alive = false;
    const int dead = fd_of(one), alive = fd_of(two);
    one.give_back();
    two.give_back();
    std::vector<int> watched;
    rig.pool.idle_descriptors(watched);
    CHECK(watched == std::vector<int>{dead, alive});
    rig.pool.sweep(kRoom, {dead, alive, 9999});
    CHECK(rig.network.open == 1);
    CHECK(rig.pool.statistics().died == 1);
    CHECK(fd_of(rig.acquire()) == alive);
}

TEST_CASE(
    "a connection that was lent after it was polled is not looked at: it was readable for the "
    "request",
    "[pool]") {
    PoolRig rig(keeping(4));
    rig.connect().give_back();
    const MonotonicUs watched_since = rig.clock.time;
    rig.clock.time += 1;
    ConnectionPool::Lease again = rig.acquire();
    auto& connection = *static_cast<ScriptedNetwork::Connection*>(again.connection());
    const int fd = fd_of(again);
    again.give_back();
    connection.alive = false;
    rig.pool.sweep(kRoom, {fd}, watched_since);
    CHECK(rig.network.open == 1);
    rig.pool.sweep(kRoom, {fd}, rig.clock.time);
    CHECK(rig.network.open == 0);
}

TEST_CASE("a connection that was looked at keeps its age", "[pool]") {
    PoolRig rig(keeping(4, 10 * kSecond));
    ConnectionPool::Lease one = rig.connect();
    const int fd = fd_of(one);
    one.give_back();
    rig.clock.time += 6 * kSecond;
    CHECK(rig.pool.sweep(kRoom, {fd}) == rig.clock.time + 4 * kSecond);
}

TEST_CASE("a server that closes preconnected connections at once is left alone for a while",
          "[pool]") {
    PoolRig rig(preconnecting(1));
    rig.acquire();
    const int fd = rig.network.next_fd;
    ConnectionPool::Lease lease = rig.pool.preconnect_lease(kRoom);
    std::unique_ptr<ScriptedNetwork::Connection> made = rig.network.connect();
    made->alive = false;
    lease.connected(std::move(made));
    lease.give_back();
    SECTION("at once") {
        rig.clock.time += ConnectionPool::kClosedAtOnce - 1;
        CHECK(rig.pool.sweep(kRoom, {fd}) == rig.clock.time + kSecond);
        CHECK(rig.in(ConnectionState::held_down) == 1);
        CHECK_FALSE(rig.pool.preconnect_lease(kRoom));
    }
    SECTION("later") {
        rig.clock.time += ConnectionPool::kClosedAtOnce;
        rig.pool.sweep(kRoom, {fd});
        CHECK(rig.in(ConnectionState::held_down) == 0);
        CHECK(rig.pool.preconnect_lease(kRoom));
    }
    CHECK(rig.network.open == 0);
}

namespace {

// Preconnects a connection that the server closes at once. Returns its descriptor.
int make_dead(PoolRig& rig) {
    ConnectionPool::Lease lease = rig.pool.preconnect_lease(kRoom);
    REQUIRE(lease);
    std::unique_ptr<ScriptedNetwork::Connection> made = rig.network.connect();
    made->alive = false;
    const int fd = made->fd();
    lease.connected(std::move(made));
    lease.give_back();
    return fd;
}

}  // namespace

TEST_CASE("the hold-down of a server that closes at once doubles, whatever requests see",
          "[pool]") {
    PoolRig rig(preconnecting(1));
    rig.acquire();
    for (const DurationUs expected : {1, 2, 4, 8, 16, 32, 32}) {
        const int fd = make_dead(rig);
        CHECK(rig.pool.sweep(kRoom, {fd}) == rig.clock.time + expected * kSecond);
        rig.connect();  // says nothing about idle connections
        CHECK_FALSE(rig.pool.preconnect_lease(kRoom));
        rig.clock.time += expected * kSecond - 1;
        CHECK_FALSE(rig.pool.preconnect_lease(kRoom));
        rig.clock.time += 1;
    }
    rig.preconnect();
    rig.clock.time += ConnectionPool::kClosedAtOnce;
    rig.acquire();  // it was kept idle
    const int fd = make_dead(rig);
    CHECK(rig.pool.sweep(kRoom, {fd}) == rig.clock.time + kSecond);
}

TEST_CASE("several connections that are closed at once make one hold-down", "[pool]") {
    PoolRig rig(preconnecting(3));
    rig.acquire();
    const std::vector<int> dead = {make_dead(rig), make_dead(rig), make_dead(rig)};
    CHECK(rig.pool.sweep(kRoom, dead) == rig.clock.time + kSecond);
    CHECK(rig.in(ConnectionState::held_down) == 1);
    CHECK(rig.in(ConnectionState::lent) == 0);
}

TEST_CASE("a connection closed at once counts as well if a request finds it", "[pool]") {
    PoolRig rig(preconnecting(1));
    rig.acquire();
    make_dead(rig);
    const ConnectionPool::Lease lease = rig.acquire();
    CHECK(lease.is_connecting());
    CHECK(rig.in(ConnectionState::held_down) == 1);
    CHECK_FALSE(rig.pool.preconnect_lease(kRoom));
    CHECK(rig.network.open == 0);
}

TEST_CASE("a request's connection that is closed soon does not hold down preconnecting", "[pool]") {
    PoolRig rig(keeping(4));
    ConnectionPool::Lease lease = rig.connect();
    static_cast<ScriptedNetwork::Connection*>(lease.connection())->alive = false;
    const int fd = fd_of(lease);
    lease.give_back();
    CHECK(rig.pool.sweep(kRoom, {fd}) == kNever);
    CHECK(rig.in(ConnectionState::held_down) == 0);
    CHECK(rig.pool.statistics().died == 1);
}

TEST_CASE("a failed connect and a connection closed at once are held down each for its time",
          "[pool]") {
    PoolRig rig(preconnecting(1));
    rig.acquire();
    const int fd = make_dead(rig);
    rig.acquire();  // which finds it
    rig.acquire().failed(ConnectFault::tls_failed);
    CHECK(rig.in(ConnectionState::held_down) == 2);
    CHECK(rig.pool.sweep(kRoom, {fd}) == rig.clock.time + kSecond);
    rig.clock.time += kSecond;
    CHECK_FALSE(rig.pool.preconnect_lease(kRoom));
    CHECK(rig.in(ConnectionState::held_down) == 1);
    CHECK(rig.pool.sweep(kRoom, {}) == rig.clock.time + 9 * kSecond);
}

TEST_CASE("a connection is not kept if the pool closes idle ones while it is looked at", "[pool]") {
    PoolRig rig(keeping(4));
    ConnectionPool::Lease one = rig.connect();
    const int fd = fd_of(one);
    one.give_back();
    SECTION("a member that is taken out") {
        rig.network.on_peek = [&] { rig.pool.close_idle(); };
    }
    SECTION("a shutdown") {
        rig.network.on_peek = [&] { rig.pool.shut_down(); };
    }
    rig.pool.sweep(kRoom, {fd});
    CHECK(rig.network.peeks == 1);
    CHECK(rig.network.open == 0);
    CHECK(rig.in(ConnectionState::idle) == 0);
    CHECK(rig.in(ConnectionState::lent) == 0);
}

TEST_CASE("the sweep closes connections that are too old or too many, the oldest first", "[pool]") {
    PoolRig rig(keeping(3, 10 * kSecond));
    std::vector<ConnectionPool::Lease> leases;
    for (int i = 0; i < 3; ++i) {
        leases.push_back(rig.connect());
    }
    const int newest = fd_of(leases[2]);
    for (ConnectionPool::Lease& lease : leases) {
        lease.give_back();
        rig.clock.time += kSecond;
    }
    CHECK(rig.pool.sweep(2, {}) == rig.clock.time + 8 * kSecond);
    CHECK(rig.in(ConnectionState::idle) == 2);
    rig.clock.time += 8 * kSecond;
    rig.pool.sweep(2, {});
    CHECK(rig.in(ConnectionState::idle) == 1);
    CHECK(fd_of(rig.acquire()) == newest);
    CHECK(rig.pool.sweep(kRoom, {}) == kNever);
}

TEST_CASE("a member that is taken out has no idle connections, and may come back", "[pool]") {
    PoolRig rig(preconnecting(2));
    rig.acquire();
    rig.preconnect();
    rig.pool.close_idle();
    CHECK(rig.network.open == 0);
    CHECK(rig.preconnect() == 2);
}

TEST_CASE("a pool that is shut down lends, makes and keeps nothing", "[pool]") {
    PoolLimits limits = pacing(1, 4);
    limits.preconnect = 2;
    PoolRig rig(limits);
    rig.refused();
    ConnectionPool::Lease lent = rig.acquire();
    ConnectionPool::Lease connecting = rig.acquire();
    rig.clock.meanwhile.push_back([&] { rig.pool.shut_down(); });
    CHECK_FALSE(rig.acquire());  // it was waiting
    CHECK(rig.fault == AcquireFault::shut_down);
    CHECK_FALSE(rig.acquire());
    CHECK(rig.fault == AcquireFault::shut_down);
    CHECK_FALSE(rig.pool.preconnect_lease(kRoom));
    lent.give_back();
    connecting.connected(rig.network.connect());
    CHECK(rig.network.open == 1);
    connecting.give_back();
    CHECK(rig.network.open == 0);
}
