// Many threads on one pool; for ThreadSanitizer too.
#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/blocked_signals.hpp"
#include "pool/connection_pool.hpp"

using namespace wsp;

namespace {

struct Counts {
    std::atomic<int> open{0};
    std::atomic<int> in_use{0};
    std::atomic<int> shared{0};  // connections that two threads had at the same time
};

class CountedConnection final : public PooledConnection {
  public:
    CountedConnection(Counts& counts, int fd) : counts_(counts), fd_(fd) { ++counts_.open; }
    ~CountedConnection() override { --counts_.open; }
    bool is_alive() noexcept override { return ++looks_ % 7 != 0; }
    int fd() const noexcept override { return fd_; }

    void use() {
        if (users_.fetch_add(1) != 0) {
            ++counts_.shared;
        }
        std::this_thread::yield();
        users_.fetch_sub(1);
    }

  private:
    Counts& counts_;
    const int fd_;
    int looks_ = 0;  // written by the holder of the lease, or by the thread that looks at it
    std::atomic<int> users_{0};
};

class DeadConnection final : public PooledConnection {
  public:
    bool is_alive() noexcept override { return false; }
    int fd() const noexcept override { return 1; }
};

// The real clock, and how often somebody went to sleep and was woken.
class CountingClock final : public PoolClock {
  public:
    MonotonicUs now() noexcept override { return clock_.now(); }
    bool wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
              MonotonicUs deadline) override {
        ++entered;
        const bool in_time = clock_.wait(lock, changed, deadline);
        ++woken;
        return in_time;
    }

    std::atomic<int> entered{0};
    std::atomic<int> woken{0};

  private:
    SystemPoolClock clock_;
};

}  // namespace

TEST_CASE("a crowd shares a pool: nobody waits for ever, no connection has two users",
          "[pool][threads]") {
    constexpr int kThreads = 8, kRounds = 300;
    Counts counts;
    PoolLimits limits;
    limits.preconnect = 2;
    limits.max_idle = 3;
    limits.max_connecting = 2;
    limits.ttl = 50 * kMillisecond;
    SystemPoolClock clock;
    ConnectionPool pool(limits, clock);
    std::atomic<int> next_fd{1}, served{0}, connecting{0}, too_many{0};
    std::atomic<bool> over{false};

    const auto connect = [&](ConnectionPool::Lease& lease) {
        if (connecting.fetch_add(1) >= 2) {
            ++too_many;
        }
        std::this_thread::yield();
        connecting.fetch_sub(1);
        lease.connected(std::make_unique<CountedConnection>(counts, next_fd++));
    };
    std::vector<std::thread> threads;
    for (int number = 0; number < kThreads; ++number) {
        threads.emplace_back([&, number] {
            for (int round = 0; round < kRounds; ++round) {
                AcquireFault fault;
                ConnectionPool::Lease lease = pool.acquire(monotonic_now() + 60 * kSecond, fault);
                if (!lease) {
                    continue;
                }
                if (lease.is_connecting() && (number + round) % 5 == 0) {
                    lease.failed(ConnectFault::refused);
                    ++served;
                    continue;
                }
                if (lease.is_connecting()) {
                    connect(lease);
                }
                static_cast<CountedConnection*>(lease.connection())->use();
                ++served;
                if (round % 3 == 0) {
                    lease.give_back();
                } else if (round % 3 == 1) {
                    lease.take();
                }
            }
        });
    }
    std::thread preconnector([&] {
        while (!over) {
            if (ConnectionPool::Lease lease = pool.preconnect_lease(100)) {
                connect(lease);
                lease.give_back();
            }
            std::vector<int> idle;
            pool.idle_descriptors(idle);
            pool.sweep(100, idle);
            std::this_thread::yield();
        }
    });
    for (std::thread& thread : threads) {
        thread.join();
    }
    over = true;
    preconnector.join();
    CHECK(served == kThreads * kRounds);
    CHECK(counts.shared == 0);
    CHECK(too_many == 0);
    pool.shut_down();
    CHECK(counts.open == 0);
    const PoolStatistics statistics = pool.statistics();
    CHECK(statistics.in(ConnectionState::lent) == 0);
    CHECK(statistics.in(ConnectionState::idle) == 0);
    CHECK(statistics.in(ConnectionState::connecting) == 0);
    CHECK(statistics.waits_timed_out == 0);
}

TEST_CASE("a turn wakes only the waiter whose turn it is, in the order of arrival",
          "[pool][threads]") {
    constexpr int kWaiters = 6, kYields = 2000;
    PoolLimits limits;
    limits.max_connecting = 1;
    const BlockedSignals
        blocked;  // as on httpd's threads: no waiter wakes only to let a signal through
    CountingClock clock;
    ConnectionPool pool(limits, clock);
    AcquireFault fault;
    ConnectionPool::Lease held = pool.acquire(kNever, fault);
    std::atomic<int> served{0}, may_end{0}, out_of_order{0};
    std::vector<std::thread> threads;
    for (int number = 0; number < kWaiters; ++number) {
        threads.emplace_back([&, number] {
            AcquireFault mine;
            ConnectionPool::Lease lease = pool.acquire(kNever, mine);
            out_of_order += served++ == number ? 0 : 1;
            while (may_end <= number) {
                std::this_thread::yield();
            }
            lease.failed(ConnectFault::stopped);
        });
        while (pool.statistics().waits <= static_cast<std::uint64_t>(number)) {
            std::this_thread::yield();
        }
    }
    held.failed(ConnectFault::stopped);
    for (int number = 0; number < kWaiters; ++number) {
        while (served <= number) {
            std::this_thread::yield();
        }
        for (int i = 0; i < kYields; ++i) {  // a waiter that was woken for nothing waits again
            std::this_thread::yield();
        }
        ++may_end;
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(out_of_order == 0);
    CHECK(clock.woken >= kWaiters);
    CHECK(clock.woken <= kWaiters + 1);  // POSIX lets a wait end for no reason
}

TEST_CASE("a request whose idle connection is dead keeps its turn", "[pool][threads]") {
    PoolLimits limits;
    limits.max_connecting = 1;
    limits.max_idle = 1;
    const BlockedSignals
        blocked;  // as on httpd's threads: no waiter wakes only to let a signal through
    CountingClock clock;
    ConnectionPool pool(limits, clock);
    AcquireFault fault;
    ConnectionPool::Lease lent = pool.acquire(kNever, fault);
    lent.connected(std::make_unique<DeadConnection>());
    ConnectionPool::Lease held = pool.acquire(kNever, fault);
    std::atomic<int> served{0}, out_of_order{0};
    std::vector<std::thread> threads;
    const auto await_sleepers = [&](int entered) {
        while (clock.entered < entered) {
            std::this_thread::yield();
        }
        pool.statistics();  // takes the lock, so the last of them sleeps
    };
    for (int number = 0; number < 2; ++number) {
        threads.emplace_back([&, number] {
            AcquireFault mine;
            ConnectionPool::Lease lease = pool.acquire(kNever, mine);
            out_of_order += served++ == number ? 0 : 1;
            lease.failed(ConnectFault::stopped);
        });
        await_sleepers(number + 1);
    }
    lent.give_back();  // the first has it, and waits again
    await_sleepers(3);
    CHECK(pool.statistics().died == 1);
    held.failed(ConnectFault::stopped);
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(out_of_order == 0);
}

TEST_CASE("a request that gives up leaves its turn to the next", "[pool][threads]") {
    PoolLimits limits;
    limits.max_connecting = 1;
    limits.max_idle = 1;
    SystemPoolClock clock;
    for (int round = 0; round < 200; ++round) {
        ConnectionPool pool(limits, clock);
        AcquireFault fault;
        ConnectionPool::Lease held = pool.acquire(kNever, fault);
        std::atomic<int> served{0};
        std::thread hasty([&] {  // its deadline comes at about the same time as its turn
            AcquireFault mine;
            pool.acquire(monotonic_now() + round * 5, mine);
        });
        std::thread patient([&] {
            AcquireFault mine;
            served += pool.acquire(monotonic_now() + 60 * kSecond, mine) ? 1 : 0;
        });
        while (pool.statistics().waits < 1) {
            std::this_thread::yield();
        }
        held.failed(ConnectFault::stopped);
        hasty.join();
        patient.join();
        CHECK(served == 1);
        CHECK(pool.statistics().in(ConnectionState::connecting) == 0);
    }
}

TEST_CASE("a shutdown wakes everybody who waits", "[pool][threads]") {
    PoolLimits limits;
    limits.max_connecting = 1;
    SystemPoolClock clock;
    ConnectionPool pool(limits, clock);
    AcquireFault fault;
    const ConnectionPool::Lease held = pool.acquire(kNever, fault);
    std::atomic<int> shut{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            AcquireFault mine;
            const ConnectionPool::Lease lease = pool.acquire(kNever, mine);
            shut += mine == AcquireFault::shut_down ? 1 : 0;
        });
    }
    while (pool.statistics().waits < 4) {
        std::this_thread::yield();
    }
    pool.shut_down();
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(shut == 4);
}
