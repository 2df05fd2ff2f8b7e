// A pool without memory, and the signals that its lock holds off.
#include <pthread.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <new>
#include <thread>

#include "support/pool_rig.hpp"
#include "support/scarce_memory.hpp"
#include "support/sockets.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

bool blocks_signals() {
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    return sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGHUP) == 1;
}

// Asked for the time wherever the pool does something with its lock held.
class WatchingClock final : public PoolClock {
  public:
    MonotonicUs now() noexcept override {
        ++asked;
        unblocked += blocks_signals() ? 0 : 1;
        return monotonic_now();
    }
    bool wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
              MonotonicUs deadline) override {
        unblocked += blocks_signals() ? 0 : 1;
        return clock_.wait(lock, changed, deadline);
    }

    std::atomic<int> asked{0};
    std::atomic<int> unblocked{0};

  private:
    SystemPoolClock clock_;
};

std::atomic<int> signals_seen{0};

}  // namespace

TEST_CASE("an acquire without memory leaves the pool as it was", "[pool]") {
    enum Outcome { connects, times_out, lacks_memory };
    PoolRig rig(pacing(1));
    const auto acquire = [&](std::size_t nth) {
        const ScarceMemory scarce(nth);
        try {
            return rig.acquire(10 * kMillisecond).is_connecting() ? connects : times_out;
        } catch (const std::bad_alloc&) {
            return lacks_memory;
        }
    };
    const std::size_t to_connect = each_allocation_fails([&](std::size_t nth) {
        const Outcome outcome = acquire(nth);
        CHECK(outcome == (ScarceMemory::has_failed() ? lacks_memory : connects));
        CHECK(rig.in(ConnectionState::connecting) == 0);
    });
    CHECK(to_connect >= 1);

    ConnectionPool::Lease connecting = rig.acquire();
    const std::size_t to_wait = each_allocation_fails([&](std::size_t nth) {
        const Outcome outcome = acquire(nth);
        CHECK(outcome == (ScarceMemory::has_failed() ? lacks_memory : times_out));
    });
    CHECK(to_wait > to_connect);
    connecting.failed(ConnectFault::stopped);
    CHECK(rig.acquire().is_connecting());
}

TEST_CASE("no signal comes while the lock of a pool is held", "[pool]") {
    REQUIRE_FALSE(blocks_signals());
    WatchingClock clock;
    PoolLimits limits;
    limits.preconnect = 1;
    limits.max_idle = 1;
    limits.max_connecting = 1;
    limits.ttl = kSecond;
    ScriptedNetwork network;
    ConnectionPool pool(limits, clock);
    AcquireFault fault;
    {
        ConnectionPool::Lease lease = pool.acquire(kNever, fault);
        CHECK_FALSE(pool.acquire(monotonic_now() + kMillisecond, fault));
        lease.connected(network.connect());
        lease.give_back();
    }
    pool.acquire(kNever, fault).give_back();
    {
        ConnectionPool::Lease preconnect = pool.preconnect_lease(kRoom);
        CHECK_FALSE(preconnect);
    }
    pool.sweep(kRoom, {network.next_fd - 1});
    pool.acquire(kNever, fault).take();
    pool.acquire_fresh(kNever, fault).failed(ConnectFault::refused);
    CHECK(clock.asked > 10);
    CHECK(clock.unblocked == 0);
    CHECK_FALSE(blocks_signals());
}

TEST_CASE("a signal need not wait for a request that waits for its turn", "[pool][threads]") {
    struct sigaction action {
    }, before{};
    action.sa_handler = [](int) { ++signals_seen; };
    sigaction(SIGTERM, &action, &before);
    signals_seen = 0;
    SystemPoolClock clock;
    PoolLimits limits;
    limits.max_connecting = 1;
    ConnectionPool pool(limits, clock);
    AcquireFault fault;
    ConnectionPool::Lease lease = pool.acquire(kNever, fault);
    std::thread waiter([&] {
        AcquireFault mine;
        const ConnectionPool::Lease waited = pool.acquire(kNever, mine);
    });
    while (pool.statistics().waits == 0) {
        std::this_thread::yield();
    }
    pthread_kill(waiter.native_handle(), SIGTERM);
    CHECK(await([] { return signals_seen == 1; }));
    lease.failed(ConnectFault::stopped);
    waiter.join();
    sigaction(SIGTERM, &before, nullptr);
}
