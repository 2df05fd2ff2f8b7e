// Permits, and the queue of those who wait for one.
#include "pool/permits.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "support/scripted_network.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

struct PermitRig {
    explicit PermitRig(std::size_t most) : permits(most, clock) {}

    AcquireFault take(DurationUs patience = 0) { return permits.take(clock.time + patience); }

    ScriptedClock clock;
    Permits permits;
};

}  // namespace

TEST_CASE("no more permits can be taken than there are", "[permits]") {
    PermitRig rig(2);
    CHECK(rig.take() == AcquireFault::none);
    CHECK(rig.permits.left() == 1);
    CHECK(rig.take() == AcquireFault::none);
    CHECK(rig.take() == AcquireFault::timed_out);
    CHECK(rig.clock.waits == 0);
    rig.permits.give_back();
    CHECK(rig.take() == AcquireFault::none);
    CHECK(rig.permits.left() == 0);
}

TEST_CASE("a permit that is given back goes to the first waiter", "[permits]") {
    PermitRig rig(1);
    CHECK(rig.take() == AcquireFault::none);
    rig.clock.meanwhile.push_back([&] {
        rig.permits.give_back();
        CHECK(rig.take() == AcquireFault::timed_out);  // not for a newcomer
    });
    CHECK(rig.take(kSecond) == AcquireFault::none);
    CHECK(rig.permits.left() == 0);
    rig.permits.give_back();
    CHECK(rig.permits.left() == 1);
}

TEST_CASE("a permit that comes together with the deadline is taken", "[permits]") {
    PermitRig rig(1);
    CHECK(rig.take() == AcquireFault::none);
    rig.clock.meanwhile.push_back([&] {
        rig.permits.give_back();
        rig.clock.time += kSecond;
    });
    CHECK(rig.take(kSecond) == AcquireFault::none);
}

TEST_CASE("a waiter whose time is over gets no permit later", "[permits]") {
    PermitRig rig(1);
    CHECK(rig.take() == AcquireFault::none);
    CHECK(rig.take(kSecond) == AcquireFault::timed_out);
    CHECK(rig.clock.time == 1001 * kSecond);
    rig.permits.give_back();
    CHECK(rig.permits.left() == 1);
}

TEST_CASE("a waiter that wakes for no reason goes on waiting", "[permits]") {
    PermitRig rig(1);
    CHECK(rig.take() == AcquireFault::none);
    rig.clock.meanwhile.push_back([] {});
    rig.clock.meanwhile.push_back([&] { rig.permits.give_back(); });
    CHECK(rig.take(kSecond) == AcquireFault::none);
    CHECK(rig.clock.waits == 2);
}

TEST_CASE("when waiting has ended, waiters are sent away, and free permits can be taken",
          "[permits]") {
    PermitRig rig(1);
    CHECK(rig.take() == AcquireFault::none);
    rig.clock.meanwhile.push_back([&] {
        rig.permits.end_waiting();
        rig.permits.give_back();  // too late for the one that waits
    });
    CHECK(rig.take(kSecond) == AcquireFault::shut_down);
    CHECK(rig.take() == AcquireFault::none);
    CHECK(rig.take(kSecond) == AcquireFault::shut_down);
    CHECK(rig.clock.waits == 1);
}

TEST_CASE("permits that were taken anyway are given back before anybody who waits gets one",
          "[permits]") {
    PermitRig rig(1);
    CHECK(rig.take() == AcquireFault::none);
    rig.permits.take_anyway();
    rig.permits.take_anyway();
    CHECK(rig.permits.left() == 0);
    CHECK(rig.take() == AcquireFault::timed_out);
    std::size_t given_back = 0;
    for (int i = 0; i < 3; ++i) {
        rig.clock.meanwhile.push_back([&] {
            rig.permits.give_back();
            ++given_back;
        });
    }
    CHECK(rig.take(kSecond) == AcquireFault::none);
    CHECK(given_back == 3);
    CHECK(rig.permits.left() == 0);
    rig.permits.give_back();
    CHECK(rig.permits.left() == 1);
}

TEST_CASE("many threads never have more permits than there are, and none waits for ever",
          "[permits][threads]") {
    constexpr int kThreads = 8, kRounds = 500;
    SystemPoolClock clock;
    Permits permits(2, clock);
    std::atomic<int> holders{0}, too_many{0}, served{0};
    std::vector<std::thread> threads;
    for (int number = 0; number < kThreads; ++number) {
        threads.emplace_back([&] {
            for (int round = 0; round < kRounds; ++round) {
                if (permits.take(monotonic_now() + 60 * kSecond) != AcquireFault::none) {
                    continue;
                }
                too_many += holders.fetch_add(1) >= 2 ? 1 : 0;
                std::this_thread::yield();
                holders.fetch_sub(1);
                ++served;
                permits.give_back();
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(served == kThreads * kRounds);
    CHECK(too_many == 0);
    CHECK(permits.left() == 2);
}
