// How many lines a log gets, against an invented clock; and that none is lost from the count.
#include "base/log_gate.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <thread>
#include <vector>

using namespace wsp;

namespace {

constexpr MonotonicUs kStart = 1000 * kSecond;

int let_through(LogGate& gate, int calls, MonotonicUs now) {
    int through = 0;
    for (int i = 0; i < calls; ++i) {
        through += gate.pass(now).let_through ? 1 : 0;
    }
    return through;
}

}  // namespace

TEST_CASE("A window lets so many lines through, and says with the last that it is", "[log_gate]") {
    LogGate gate(3, 60 * kSecond);
    for (int i = 1; i <= 5; ++i) {
        const LogGate::Verdict verdict = gate.pass(kStart + i * kSecond);
        CHECK(verdict.let_through == (i <= 3));
        CHECK(verdict.is_last == (i == 3));
        CHECK(verdict.left_out == 0);
    }
}

TEST_CASE("The first line of the next window tells how many were left out, and no line behind it",
          "[log_gate]") {
    LogGate gate(3, 60 * kSecond);
    REQUIRE(let_through(gate, 10, kStart) == 3);
    const LogGate::Verdict first = gate.pass(kStart + 60 * kSecond);
    CHECK(first.let_through);
    CHECK(first.left_out == 7);
    CHECK(gate.pass(kStart + 60 * kSecond).left_out == 0);
}

TEST_CASE("A window begins with its first line, whenever that is", "[log_gate]") {
    LogGate gate(1, 60 * kSecond);
    REQUIRE(gate.pass(kStart + 59 * kSecond).let_through);
    CHECK_FALSE(gate.pass(kStart + 61 * kSecond).let_through);
    CHECK_FALSE(gate.pass(kStart + 118 * kSecond).let_through);
    CHECK(gate.pass(kStart + 119 * kSecond).let_through);
}

TEST_CASE("A line now and then is always let through", "[log_gate]") {
    LogGate gate(1, 60 * kSecond);
    for (int i = 0; i < 100; ++i) {
        const LogGate::Verdict verdict = gate.pass(kStart + i * 60 * kSecond);
        CHECK((verdict.let_through && verdict.left_out == 0));
    }
}

TEST_CASE("The first line of a machine's first second is let through", "[log_gate]") {
    LogGate gate(1, 60 * kSecond);
    CHECK(gate.pass(0).let_through);
    CHECK_FALSE(gate.pass(0).let_through);
}

TEST_CASE("What was left out can be asked for once, and leaves the window as full as it was",
          "[log_gate]") {
    LogGate gate(2, 60 * kSecond);
    CHECK(gate.take_left_out() == 0);
    REQUIRE(let_through(gate, 9, kStart) == 2);
    CHECK(gate.take_left_out() == 7);
    CHECK(gate.take_left_out() == 0);
    CHECK_FALSE(gate.pass(kStart).let_through);
    CHECK(gate.pass(kStart + 60 * kSecond).left_out == 1);
}

TEST_CASE("A thread that has looked at the clock a little earlier begins no window", "[log_gate]") {
    LogGate gate(1, 60 * kSecond);
    REQUIRE(gate.pass(kStart).let_through);
    CHECK_FALSE(gate.pass(kStart - 5 * kSecond).let_through);
    CHECK_FALSE(gate.pass(kStart - 500 * kSecond).let_through);
}

TEST_CASE("Each line is let through, told of as left out, or waits to be: at any time",
          "[log_gate]") {
    std::mt19937 random(20261121);
    for (int story = 0; story < 50; ++story) {
        LogGate gate(1 + random() % 4, (1 + random() % 5) * kSecond);
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
            const LogGate::Verdict verdict = gate.pass(now);
            ++calls;
            told += (verdict.let_through ? 1 : 0) + verdict.left_out;
        }
        CHECK(told + gate.take_left_out() == calls);
    }
}

TEST_CASE("The same holds with many threads", "[log_gate][threads]") {
    constexpr int kThreads = 4;
    constexpr int kCalls = 20000;
    LogGate gate(2, 1 * kSecond);
    std::atomic<std::uint64_t> told{0};
    std::atomic<int> through{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < kCalls; ++i) {
                const LogGate::Verdict verdict = gate.pass(kStart + i * kMillisecond);
                through += verdict.let_through ? 1 : 0;
                told += (verdict.let_through ? 1 : 0) + verdict.left_out;
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
