// Time spans as others want them.
#include "base/clock.hpp"

#include <catch2/catch.hpp>
#include <climits>

using namespace wsp;

TEST_CASE("microseconds become milliseconds, rounded up", "[clock]") {
    CHECK(milliseconds_of(0) == 0);
    CHECK(milliseconds_of(1) == 1);
    CHECK(milliseconds_of(1000) == 1);
    CHECK(milliseconds_of(1001) == 2);
    CHECK(milliseconds_of(kNever) == kNever / 1000 + 1);
    CHECK(milliseconds_of(-1) == 0);
    CHECK(milliseconds_of(-5000) == 0);
}

TEST_CASE("a poll waits until the time has come, or for ever", "[clock]") {
    CHECK(poll_timeout(kNever) == -1);
    CHECK(poll_timeout(kNever - 1) == INT_MAX);
    CHECK(poll_timeout(1500) == 2);
    CHECK(poll_timeout(-1500) == 0);
    CHECK(poll_timeout_until(kNever, 5 * kSecond) == -1);
    CHECK(poll_timeout_until(5 * kSecond, 4 * kSecond) == 1000);
    CHECK(poll_timeout_until(4 * kSecond, 5 * kSecond) == 0);
}
