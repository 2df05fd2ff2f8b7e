// How many lines a log gets, against an invented clock; and that none is lost from the count.
#include "base/log_rate_limit.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <thread>
#include <vector>

using namespace wsp;

namespace {

constexpr MonotonicUs kStart = 1000 * kSecond;

int allowed(LogRateLimit& gate, int calls, MonotonicUs now) {
    int through = 0;
    for (int i = 0; i < calls; ++i) {
        through += gate.allow(now).allowed ? 1 : 0;
    }
    return through;
}

}  // namespace

TEST_CASE("A window allows a number of lines, and marks the last one", "[log_rate_limit]") {
    LogRateLimit gate(3, 60 * kSecond);
    for (int i = 1; i <= 5; ++i) {
        const LogRateLimit::Verdict verdict = gate.allow(kStart + i * kSecond);
        CHECK(verdict.allowed == (i <= 3));
        CHECK(verdict.is_last == (i == 3));
        CHECK(verdict.left_out == 0);
    }
}

TEST_CASE(
    "The first line of the next window reports how many were left out, and no later line does",
    "[log_rate_limit]") {
    LogRateLimit gate(3, 60 * kSecond);
    REQUIRE(allowed(gate, 10, kStart) == 3);
    const LogRateLimit::Verdict first = gate.allow(kStart + 60 * kSecond);
    CHECK(first.allowed);
    CHECK(first.left_out == 7);
    CHECK(gate.allow(kStart + 60 * kSecond).left_out == 0);
}

TEST_CASE("A window begins with its first line, whenever that is", "[log_rate_limit]") {
    LogRateLimit gate(1, 60 * kSecond);
    REQUIRE(gate.allow(kStart + 59 * kSecond).allowed);
    CHECK_FALSE(gate.allow(kStart + 61 * kSecond).allowed);
    CHECK_FALSE(gate.allow(kStart + 118 * kSecond).allowed);
    CHECK(gate.allow(kStart + 119 * kSecond).allowed);
}

TEST_CASE("A line now and then is always allowed", "[log_rate_limit]") {
    LogRateLimit gate(1, 60 * kSecond);
    for (int i = 0; i < 100; ++i) {
        const LogRateLimit::Verdict verdict = gate.allow(kStart + i * 60 * kSecond);
        CHECK((verdict.allowed && verdict.left_out == 0));
    }
}

TEST_CASE("The first line in a machine's first second is allowed", "[log_rate_limit]") {
    LogRateLimit gate(1, 60 * kSecond);
    CHECK(gate.allow(0).allowed);
    CHECK_FALSE(gate.allow(0).allowed);
}

TEST_CASE("What was left out can be asked for once, and leaves the window as full as it was",
          "[log_rate_limit]") {
    LogRateLimit gate(2, 60 * kSecond);
    CHECK(gate.take_left_out() == 0);
    REQUIRE(allowed(gate, 9, kStart) == 2);
    CHECK(gate.take_left_out() == 7);
    CHECK(gate.take_left_out() == 0);
    CHECK_FALSE(gate.allow(kStart).allowed);
    CHECK(gate.allow(kStart + 60 * kSecond).left_out == 1);
}

TEST_CASE("A thread that has read the clock a little earlier begins no new window",
          "[log_rate_limit]") {
    LogRateLimit gate(1, 60 * kSecond);
    REQUIRE(gate.allow(kStart).allowed);
    CHECK_FALSE(gate.allow(kStart - 5 * kSecond).allowed);
    CHECK_FALSE(gate.allow(kStart - 500 * kSecond).allowed);
}

TEST_CASE("At any time each line is allowed, reported as left out, or still to be reported",
          "[log_rate_limit]") {
    std::mt19937 random(20261121);
    for (int story = 0; story < 50; ++story) {
        LogRateLimit gate(1 + random() % 4, (1 + random() % 5) * kSecond);
        std::uint64_t calls = 0;
        std::uint64_t told = 0;
        MonotonicUs now = kStart;
        for (int i = 0; i < 500; ++i) {
            now += random() % 3 == 0 ? static_cast<DurationUs>(random() % 3) * kSecond : 0;
            if (random() % 20 == 0) {
                told += gate.take_left_out();
                CHECK(told == calls);
                continue;
            }
            const LogRateLimit::Verdict verdict = gate.allow(now);
            ++calls;
            told += (verdict.allowed ? 1 : 0) + verdict.left_out;
        }
        CHECK(told + gate.take_left_out() == calls);
    }
}

TEST_CASE("The same holds with many threads", "[log_rate_limit][threads]") {
    constexpr int kThreads = 4;
    constexpr int kCalls = 20000;
    LogRateLimit gate(2, 1 * kSecond);
    std::atomic<std::uint64_t> told{0};
    std::atomic<int> through{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < kCalls; ++i) {
                const LogRateLimit::Verdict verdict = gate.allow(kStart + i * kMillisecond);
                through += verdict.allowed ? 1 : 0;
                told += (verdict.allowed ? 1 : 0) + verdict.left_out;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(told + gate.take_left_out() == kThreads * kCalls);
    // 20 s of windows of one second: at most 20 of them, each with two lines.
    CHECK(through <= 2 * (kCalls / 1000));
}
