// The pool's rules, one after the other, on a scripted network.
#include "pool/backend_pool.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "support/scripted_network.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

constexpr std::size_t kRoom = 1000;

struct Rig {
    explicit Rig(PoolLimits limits) : pool(limits, clock) {}

    BackendPool::Lease acquire(DurationUs patience = kSecond) {
        return pool.acquire(clock.time + patience, fault);
    }
    // A request that connects: its lease.
    BackendPool::Lease connect() {
        BackendPool::Lease lease = acquire();
        REQUIRE(lease.is_connecting());
        lease.connected(network.connect());
        return lease;
    }
    // A request whose upgrade is refused, on whatever connection there is.
    void refused() {
        BackendPool::Lease lease = acquire();
        REQUIRE(lease);
        if (lease.is_connecting()) {
            lease.connected(network.connect());
        }
        lease.give_back();
    }
    // As many as the filler may make.
    int fill(std::size_t room = kRoom) {
        int made = 0;
        while (BackendPool::Lease lease = pool.refill(room)) {
            lease.connected(network.connect());
            lease.give_back();
            ++made;
        }
        return made;
    }
    std::size_t in(ConnectionState state) const { return pool.statistics().in(state); }

    ScriptedNetwork network;
    ScriptedClock clock;
    AcquireFault fault = AcquireFault::none;
    BackendPool pool;
};

PoolLimits keeping(std::size_t max_idle, DurationUs ttl = 0) {
    PoolLimits limits;
    limits.max_idle = max_idle;
    limits.ttl = ttl;
    return limits;
}

PoolLimits warming(std::size_t warm) {
    PoolLimits limits;
    limits.warm = warm;
    return limits;
}

PoolLimits pacing(std::size_t max_connecting, std::size_t max_idle = 0) {
    PoolLimits limits = keeping(max_idle);
    limits.max_connecting = max_connecting;
    return limits;
}

int fd_of(const BackendPool::Lease& lease) {
    return lease.connection()->fd();
}

}  // namespace

// --- leases ---------------------------------------------------------------------------------------

TEST_CASE("the first lease is the permission to connect", "[pool]") {
    Rig rig(keeping(4));
    BackendPool::Lease lease = rig.acquire();
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

TEST_CASE("what is given back is lent again, the last one first", "[pool]") {
    Rig rig(keeping(4));
    BackendPool::Lease one = rig.connect(), two = rig.connect();
    const int first = fd_of(one), second = fd_of(two);
    one.give_back();
    rig.clock.time += kSecond;
    two.give_back();
    CHECK(rig.in(ConnectionState::idle) == 2);
    BackendPool::Lease again = rig.acquire();
    CHECK(again.is_reused());
    CHECK(fd_of(again) == second);
    CHECK(fd_of(rig.acquire()) == first);
    CHECK(rig.pool.statistics().reused == 2);
    CHECK(rig.pool.statistics().given_back == 2);
}

TEST_CASE("the last one given back is lent first, however old it is", "[pool]") {
    Rig rig(keeping(4));
    BackendPool::Lease older = rig.connect(), newer = rig.connect();
    const int fd = fd_of(older);
    newer.give_back();
    older.give_back();
    CHECK(fd_of(rig.acquire()) == fd);
}

TEST_CASE("a lease that is dropped closes its connection", "[pool]") {
    Rig rig(keeping(4));
    {
        const BackendPool::Lease lease = rig.connect();
        CHECK(rig.network.open == 1);
    }
    CHECK(rig.network.open == 0);
    CHECK(rig.in(ConnectionState::lent) == 0);
    CHECK(rig.acquire().is_connecting());
}

TEST_CASE("a permission that is dropped leaves nothing behind", "[pool]") {
    Rig rig(pacing(1));
    { const BackendPool::Lease lease = rig.acquire(); }
    CHECK(rig.in(ConnectionState::connecting) == 0);
    CHECK(rig.acquire().is_connecting());
    CHECK(rig.clock.waits == 0);
}

TEST_CASE("a connection that is taken is the pool's no more", "[pool]") {
    Rig rig(keeping(4));
    std::unique_ptr<PooledConnection> tunnel = rig.connect().take();
    REQUIRE(tunnel);
    CHECK(rig.in(ConnectionState::lent) == 0);
    CHECK(rig.network.open == 1);
    rig.pool.shut_down();
    CHECK(rig.network.open == 1);
}

TEST_CASE("a lease moves with its connection", "[pool]") {
    Rig rig(keeping(4));
    BackendPool::Lease from = rig.connect();
    const int fd = fd_of(from);
    BackendPool::Lease to(std::move(from));
    CHECK_FALSE(from);
    CHECK(fd_of(to) == fd);
    BackendPool::Lease other = rig.connect();
    other = std::move(to);
    CHECK(fd_of(other) == fd);
    other.give_back();
    CHECK_FALSE(other);
    CHECK(rig.in(ConnectionState::idle) == 1);
}

TEST_CASE("a fresh connection is never one that was idle", "[pool]") {
    Rig rig(keeping(4));
    rig.refused();
    CHECK(rig.pool.acquire_fresh(rig.clock.time + kSecond, rig.fault).is_connecting());
    CHECK(rig.in(ConnectionState::idle) == 1);
}

// --- what is kept ---------------------------------------------------------------------------------

TEST_CASE("no more are kept than max_idle", "[pool]") {
    Rig rig(keeping(1));
    BackendPool::Lease one = rig.connect(), two = rig.connect();
    one.give_back();
    two.give_back();
    CHECK(rig.network.open == 1);
    CHECK(rig.in(ConnectionState::idle) == 1);
    CHECK(rig.pool.statistics().surplus == 1);
}

TEST_CASE("none is kept without max_idle", "[pool]") {
    Rig rig(keeping(0));
    rig.connect().give_back();
    CHECK(rig.network.open == 0);
}

TEST_CASE("the dead are passed over and closed", "[pool]") {
    Rig rig(keeping(4));
    BackendPool::Lease one = rig.connect(), two = rig.connect();
    auto* const alive = one.connection();
    static_cast<ScriptedNetwork::Connection*>(two.connection())->alive = false;
    one.give_back();
    two.give_back();
    const BackendPool::Lease lease = rig.acquire();
    CHECK(lease.connection() == alive);
    CHECK(rig.network.open == 1);
    CHECK(rig.network.peeks == 2);
    CHECK(rig.pool.statistics().died == 1);
    CHECK(rig.pool.statistics().reused == 1);
}

TEST_CASE("when all are dead, a new one is made", "[pool]") {
    Rig rig(keeping(4));
    BackendPool::Lease one = rig.connect();
    static_cast<ScriptedNetwork::Connection*>(one.connection())->alive = false;
    one.give_back();
    CHECK(rig.acquire().is_connecting());
    CHECK(rig.network.open == 0);
}

TEST_CASE("a connection is lent up to its ttl and no longer", "[pool]") {
    Rig rig(keeping(4, 10 * kSecond));
    rig.refused();
    rig.clock.time += 10 * kSecond - 1;
    rig.refused();  // which begins a new one
    CHECK(rig.pool.statistics().reused == 1);
    rig.clock.time += 10 * kSecond;
    CHECK(rig.acquire().is_connecting());
    CHECK(rig.network.open == 0);
    CHECK(rig.pool.statistics().expired == 1);
}

TEST_CASE("nothing is looked at or closed with the lock held", "[pool]") {
    Rig rig(keeping(1, 10 * kSecond));
    int calls = 0;
    rig.network.on_peek = rig.network.on_close = [&] {
        ++calls;
        rig.pool.statistics();  // would wait for ever
    };
    BackendPool::Lease one = rig.connect(), two = rig.connect();
    one.give_back();
    two.give_back();  // surplus
    rig.acquire();    // a peek, and closed
    rig.refused();
    rig.clock.time += 10 * kSecond;
    rig.pool.sweep(kRoom, {});  // expired
    BackendPool::Lease dead = rig.connect();
    static_cast<ScriptedNetwork::Connection*>(dead.connection())->alive = false;
    const int fd = fd_of(dead);
    dead.give_back();
    rig.pool.sweep(kRoom, {fd});  // a peek, and closed
    rig.refused();
    rig.pool.let_go();
    rig.refused();
    rig.pool.shut_down();
    CHECK(calls == 8);
    CHECK(rig.network.open == 0);
    rig.network.on_close = nullptr;
}

// --- turns ----------------------------------------------------------------------------------------

TEST_CASE("no more than max_connecting connect at a time", "[pool]") {
    Rig rig(pacing(2));
    const BackendPool::Lease one = rig.acquire(), two = rig.acquire();
    CHECK(rig.clock.waits == 0);
    const BackendPool::Lease three = rig.acquire(5 * kSecond);
    CHECK_FALSE(three);
    CHECK(rig.fault == AcquireFault::timed_out);
    CHECK(rig.clock.time == 1005 * kSecond);
    CHECK(rig.pool.statistics().waits == 1);
    CHECK(rig.pool.statistics().waits_timed_out == 1);
}

TEST_CASE("who waits goes on when another has connected", "[pool]") {
    Rig rig(pacing(1));
    BackendPool::Lease one = rig.acquire();
    rig.clock.meanwhile.push_back([&] { one.connected(rig.network.connect()); });
    const BackendPool::Lease two = rig.acquire();
    CHECK(two.is_connecting());
    CHECK(rig.clock.waits == 1);
}

TEST_CASE("who waits goes on when another has failed", "[pool]") {
    Rig rig(pacing(1));
    BackendPool::Lease one = rig.acquire();
    rig.clock.meanwhile.push_back([&] { one.failed(ConnectFault::refused); });
    CHECK(rig.acquire().is_connecting());
}

TEST_CASE("who waits takes a connection that becomes idle meanwhile", "[pool]") {
    Rig rig(pacing(1, 4));
    BackendPool::Lease lent = rig.connect();
    const BackendPool::Lease connecting = rig.acquire();
    rig.clock.meanwhile.push_back([&] { lent.give_back(); });
    const BackendPool::Lease waiting = rig.acquire();
    CHECK(waiting.is_reused());
}

TEST_CASE("who waits for a fresh one does not take what becomes idle", "[pool]") {
    Rig rig(pacing(1, 4));
    BackendPool::Lease lent = rig.connect();
    const BackendPool::Lease connecting = rig.acquire();
    rig.clock.meanwhile.push_back([&] { lent.give_back(); });
    CHECK_FALSE(rig.pool.acquire_fresh(rig.clock.time + kSecond, rig.fault));
    CHECK(rig.fault == AcquireFault::timed_out);
}

TEST_CASE("first come, first served", "[pool]") {
    Rig rig(pacing(1));
    BackendPool::Lease one = rig.acquire(), late;
    bool late_had_its_turn = true;
    rig.clock.meanwhile.push_back([&] {  // while the second waits
        one.connected(rig.network.connect());
        AcquireFault fault;
        late = rig.pool.acquire(rig.clock.time, fault);  // may not wait
        late_had_its_turn = static_cast<bool>(late);
    });
    const BackendPool::Lease second = rig.acquire();
    CHECK(second.is_connecting());
    CHECK_FALSE(late_had_its_turn);
}

TEST_CASE("a connection that becomes idle is the first one's, not a newcomer's", "[pool]") {
    Rig rig(pacing(1, 4));
    BackendPool::Lease lent = rig.connect();
    const BackendPool::Lease connecting = rig.acquire();
    rig.clock.meanwhile.push_back([&] {
        lent.give_back();
        AcquireFault fault;
        CHECK_FALSE(rig.pool.acquire(rig.clock.time, fault));
        CHECK(fault == AcquireFault::timed_out);
    });
    CHECK(rig.acquire().is_reused());
}

TEST_CASE("a turn that comes at the last moment is taken", "[pool]") {
    Rig rig(pacing(1));
    BackendPool::Lease one = rig.acquire();
    rig.clock.meanwhile.push_back([&] {
        rig.clock.time += 2 * kSecond;
        one.connected(rig.network.connect());
    });
    CHECK(rig.acquire(kSecond).is_connecting());
}

TEST_CASE("who finds its idle connection dead has waited once", "[pool]") {
    Rig rig(pacing(1, 4));
    BackendPool::Lease lent = rig.connect();
    static_cast<ScriptedNetwork::Connection*>(lent.connection())->alive = false;
    BackendPool::Lease connecting = rig.acquire();
    rig.clock.meanwhile.push_back([&] { lent.give_back(); });
    rig.clock.meanwhile.push_back([&] { connecting.failed(ConnectFault::refused); });
    CHECK(rig.acquire().is_connecting());
    CHECK(rig.clock.waits == 2);
    CHECK(rig.pool.statistics().waits == 1);
}

TEST_CASE("who waits for a fresh one keeps nobody from an idle one", "[pool]") {
    Rig rig(pacing(1, 4));
    BackendPool::Lease lent = rig.connect(), other;
    BackendPool::Lease connecting = rig.acquire();
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

TEST_CASE("who waits for a fresh one is not overtaken by who would connect", "[pool]") {
    Rig rig(pacing(1, 4));
    BackendPool::Lease connecting = rig.acquire();
    rig.clock.meanwhile.push_back([&] {
        connecting.failed(ConnectFault::refused);
        AcquireFault fault;
        CHECK_FALSE(rig.pool.acquire(rig.clock.time, fault));
    });
    CHECK(rig.pool.acquire_fresh(rig.clock.time + kSecond, rig.fault).is_connecting());
}

TEST_CASE("an expired connection is nobody's turn", "[pool]") {
    PoolLimits limits = pacing(1, 4);
    limits.ttl = kSecond;
    Rig rig(limits);
    rig.connect().give_back();
    BackendPool::Lease connecting = rig.pool.acquire_fresh(kNever, rig.fault);
    rig.clock.time += kSecond;
    rig.clock.meanwhile.push_back([&] { connecting.failed(ConnectFault::refused); });
    CHECK(rig.acquire().is_connecting());
    CHECK(rig.clock.waits == 1);
    CHECK(rig.network.open == 0);
}

// --- connections ahead ----------------------------------------------------------------------------

TEST_CASE("nothing is made ahead before somebody has asked", "[pool]") {
    Rig rig(warming(3));
    CHECK(rig.fill() == 0);
    rig.acquire();
    CHECK(rig.fill() == 3);
    CHECK(rig.in(ConnectionState::idle) == 3);
    CHECK(rig.pool.statistics().connects_ahead == 3);
}

TEST_CASE("what is lent is made up for", "[pool]") {
    Rig rig(warming(2));
    rig.acquire();
    rig.fill();
    const BackendPool::Lease lease = rig.acquire();
    CHECK(lease.is_reused());
    CHECK(rig.fill() == 1);
}

TEST_CASE("what is being made ahead counts", "[pool]") {
    Rig rig(warming(2));
    rig.acquire();
    const BackendPool::Lease one = rig.pool.refill(kRoom), two = rig.pool.refill(kRoom);
    CHECK(two);
    CHECK_FALSE(rig.pool.refill(kRoom));
}

TEST_CASE("what has been made ahead and is not idle yet counts", "[pool]") {
    Rig rig(warming(1));
    rig.acquire();
    BackendPool::Lease made = rig.pool.refill(kRoom);
    made.connected(rig.network.connect());
    CHECK_FALSE(rig.pool.refill(kRoom));
    made.give_back();
    const BackendPool::Lease lent = rig.acquire();  // and then it is a request's
    CHECK(rig.pool.refill(kRoom));
}

TEST_CASE("no more are made ahead than the backend has room for", "[pool]") {
    Rig rig(warming(5));
    rig.acquire();
    CHECK(rig.fill(2) == 2);
    CHECK(rig.fill(0) == 0);
    rig.pool.sweep(1, {});
    CHECK(rig.in(ConnectionState::idle) == 1);
}

TEST_CASE("nothing is made ahead when nobody has asked for long", "[pool]") {
    Rig rig(warming(1));
    rig.acquire();
    rig.clock.time += BackendPool::kRestAfter - 1;
    CHECK(rig.fill() == 1);
    rig.pool.let_go();
    rig.clock.time += 1;
    CHECK(rig.fill() == 0);
    rig.acquire();
    CHECK(rig.fill() == 1);
}

TEST_CASE("requests that wait come before the filler", "[pool]") {
    PoolLimits limits = pacing(1);
    limits.warm = 1;
    Rig rig(limits);
    BackendPool::Lease one = rig.acquire();
    CHECK_FALSE(rig.pool.refill(kRoom));  // the only turn is taken
    bool filler_went_on = true;
    rig.clock.meanwhile.push_back([&] {
        one.connected(rig.network.connect());
        filler_went_on = static_cast<bool>(rig.pool.refill(kRoom));
    });
    CHECK(rig.acquire().is_connecting());
    CHECK_FALSE(filler_went_on);
}

TEST_CASE("a connection made ahead serves who waits", "[pool]") {
    PoolLimits limits = pacing(2);
    limits.warm = 1;
    Rig rig(limits);
    BackendPool::Lease request = rig.acquire(), ahead = rig.pool.refill(kRoom);
    rig.clock.meanwhile.push_back([&] {
        ahead.connected(rig.network.connect());
        ahead.give_back();
    });
    const BackendPool::Lease waiting = rig.acquire();
    CHECK(waiting);
    CHECK_FALSE(request.connection());
}

// --- hold-down ------------------------------------------------------------------------------------

TEST_CASE("each kind of failure holds down for its own time, doubled in a row", "[pool]") {
    CHECK(hold_down_after(ConnectFault::refused, 1) == 500 * kMillisecond);
    CHECK(hold_down_after(ConnectFault::refused, 2) == kSecond);
    CHECK(hold_down_after(ConnectFault::refused, 6) == 16 * kSecond);
    CHECK(hold_down_after(ConnectFault::refused, 60) == 16 * kSecond);
    CHECK(hold_down_after(ConnectFault::timed_out, 1) == 5 * kSecond);
    CHECK(hold_down_after(ConnectFault::timed_out, 6) == 60 * kSecond);
    CHECK(hold_down_after(ConnectFault::stopped, 3) == 0);
    CHECK(text_of(ConnectFault::refused) == std::string("the connection was refused"));
}

TEST_CASE("after a failure nothing is made ahead until the hold-down is over", "[pool]") {
    Rig rig(warming(1));
    rig.acquire();
    rig.pool.refill(kRoom).failed(ConnectFault::unreachable);
    CHECK(rig.in(ConnectionState::cooling) == 1);
    CHECK(rig.pool.sweep(kRoom, {}) == rig.clock.time + 2 * kSecond);
    rig.clock.time += 2 * kSecond - 1;
    CHECK_FALSE(rig.pool.refill(kRoom));
    rig.clock.time += 1;
    rig.pool.refill(kRoom).failed(ConnectFault::unreachable);
    CHECK(rig.pool.sweep(kRoom, {}) == rig.clock.time + 4 * kSecond);
    CHECK(rig.in(ConnectionState::cooling) == 1);
    CHECK(rig.pool.statistics().connects_failed == 2);
}

TEST_CASE("requests are not held down, and their success ends it", "[pool]") {
    Rig rig(warming(1));
    rig.acquire();
    rig.pool.refill(kRoom).failed(ConnectFault::tls_failed);
    CHECK_FALSE(rig.pool.refill(kRoom));
    const BackendPool::Lease lease = rig.connect();
    CHECK(rig.in(ConnectionState::cooling) == 0);
    rig.pool.refill(kRoom).failed(ConnectFault::refused);
    CHECK(rig.pool.sweep(kRoom, {}) == rig.clock.time + 500 * kMillisecond);  // the first again
}

TEST_CASE("a thousand failed requests are one hold-down", "[pool]") {
    Rig rig(keeping(4));
    for (int i = 0; i < 1000; ++i) {
        rig.acquire().failed(ConnectFault::refused);
    }
    CHECK(rig.in(ConnectionState::cooling) == 1);
    CHECK(rig.pool.statistics().connects_failed == 1000);
}

// --- the watch over the idle ----------------------------------------------------------------------

TEST_CASE("an idle connection that has something to say is looked at", "[pool]") {
    Rig rig(keeping(4));
    BackendPool::Lease one = rig.connect(), two = rig.connect();
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

TEST_CASE("being looked at does not make a connection younger", "[pool]") {
    Rig rig(keeping(4, 10 * kSecond));
    BackendPool::Lease one = rig.connect();
    const int fd = fd_of(one);
    one.give_back();
    rig.clock.time += 6 * kSecond;
    CHECK(rig.pool.sweep(kRoom, {fd}) == rig.clock.time + 4 * kSecond);
}

TEST_CASE("a server that closes at once what is made ahead is left alone for a while", "[pool]") {
    Rig rig(warming(1));
    rig.acquire();
    const int fd = rig.network.next_fd;
    BackendPool::Lease lease = rig.pool.refill(kRoom);
    std::unique_ptr<ScriptedNetwork::Connection> made = rig.network.connect();
    made->alive = false;
    lease.connected(std::move(made));
    lease.give_back();
    SECTION("at once") {
        rig.clock.time += BackendPool::kClosedAtOnce - 1;
        CHECK(rig.pool.sweep(kRoom, {fd}) == rig.clock.time + kSecond);
        CHECK(rig.in(ConnectionState::cooling) == 1);
        CHECK_FALSE(rig.pool.refill(kRoom));
    }
    SECTION("later") {
        rig.clock.time += BackendPool::kClosedAtOnce;
        rig.pool.sweep(kRoom, {fd});
        CHECK(rig.in(ConnectionState::cooling) == 0);
        CHECK(rig.pool.refill(kRoom));
    }
    CHECK(rig.network.open == 0);
}

namespace {

// The filler makes one that the server closes at once: its descriptor.
int make_dead(Rig& rig) {
    BackendPool::Lease lease = rig.pool.refill(kRoom);
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
    Rig rig(warming(1));
    rig.acquire();
    for (const DurationUs expected : {1, 2, 4, 8, 16, 32, 32}) {
        const int fd = make_dead(rig);
        CHECK(rig.pool.sweep(kRoom, {fd}) == rig.clock.time + expected * kSecond);
        rig.connect();  // says nothing about idle connections
        CHECK_FALSE(rig.pool.refill(kRoom));
        rig.clock.time += expected * kSecond - 1;
        CHECK_FALSE(rig.pool.refill(kRoom));
        rig.clock.time += 1;
    }
    rig.fill();
    rig.clock.time += BackendPool::kClosedAtOnce;
    rig.acquire();  // it was kept idle
    const int fd = make_dead(rig);
    CHECK(rig.pool.sweep(kRoom, {fd}) == rig.clock.time + kSecond);
}

TEST_CASE("several that are closed at once are one hold-down", "[pool]") {
    Rig rig(warming(3));
    rig.acquire();
    const std::vector<int> dead = {make_dead(rig), make_dead(rig), make_dead(rig)};
    CHECK(rig.pool.sweep(kRoom, dead) == rig.clock.time + kSecond);
    CHECK(rig.in(ConnectionState::cooling) == 1);
    CHECK(rig.in(ConnectionState::lent) == 0);
}

TEST_CASE("a request that finds it closed at once holds it against the server too", "[pool]") {
    Rig rig(warming(1));
    rig.acquire();
    make_dead(rig);
    const BackendPool::Lease lease = rig.acquire();
    CHECK(lease.is_connecting());
    CHECK(rig.in(ConnectionState::cooling) == 1);
    CHECK_FALSE(rig.pool.refill(kRoom));
    CHECK(rig.network.open == 0);
}

TEST_CASE("a request's connection that is closed soon is not held against the server", "[pool]") {
    Rig rig(keeping(4));
    BackendPool::Lease lease = rig.connect();
    static_cast<ScriptedNetwork::Connection*>(lease.connection())->alive = false;
    const int fd = fd_of(lease);
    lease.give_back();
    CHECK(rig.pool.sweep(kRoom, {fd}) == kNever);
    CHECK(rig.in(ConnectionState::cooling) == 0);
    CHECK(rig.pool.statistics().died == 1);
}

TEST_CASE("a failed connect and a connection closed at once are held down each for its time",
          "[pool]") {
    Rig rig(warming(1));
    rig.acquire();
    const int fd = make_dead(rig);
    rig.acquire();  // which finds it
    rig.acquire().failed(ConnectFault::tls_failed);
    CHECK(rig.in(ConnectionState::cooling) == 2);
    CHECK(rig.pool.sweep(kRoom, {fd}) == rig.clock.time + kSecond);
    rig.clock.time += kSecond;
    CHECK_FALSE(rig.pool.refill(kRoom));
    CHECK(rig.in(ConnectionState::cooling) == 1);
    CHECK(rig.pool.sweep(kRoom, {}) == rig.clock.time + 9 * kSecond);
}

TEST_CASE("what is let go of while it is looked at is not kept", "[pool]") {
    Rig rig(keeping(4));
    BackendPool::Lease one = rig.connect();
    const int fd = fd_of(one);
    one.give_back();
    SECTION("a member that is taken out") {
        rig.network.on_peek = [&] { rig.pool.let_go(); };
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

TEST_CASE("the sweep closes what is too old or too much, the oldest first", "[pool]") {
    Rig rig(keeping(3, 10 * kSecond));
    std::vector<BackendPool::Lease> leases;
    for (int i = 0; i < 3; ++i) {
        leases.push_back(rig.connect());
    }
    const int newest = fd_of(leases[2]);
    for (BackendPool::Lease& lease : leases) {
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

TEST_CASE("a member that is taken out lets go, and may come back", "[pool]") {
    Rig rig(warming(2));
    rig.acquire();
    rig.fill();
    rig.pool.let_go();
    CHECK(rig.network.open == 0);
    CHECK(rig.fill() == 2);
}

TEST_CASE("a pool that is shut down lends, makes and keeps nothing", "[pool]") {
    PoolLimits limits = pacing(1, 4);
    limits.warm = 2;
    Rig rig(limits);
    rig.refused();
    BackendPool::Lease lent = rig.acquire();
    BackendPool::Lease connecting = rig.acquire();
    rig.clock.meanwhile.push_back([&] { rig.pool.shut_down(); });
    CHECK_FALSE(rig.acquire());  // it was waiting
    CHECK(rig.fault == AcquireFault::shut_down);
    CHECK_FALSE(rig.acquire());
    CHECK(rig.fault == AcquireFault::shut_down);
    CHECK_FALSE(rig.pool.refill(kRoom));
    lent.give_back();
    connecting.connected(rig.network.connect());
    CHECK(rig.network.open == 1);
    connecting.give_back();
    CHECK(rig.network.open == 0);
}
