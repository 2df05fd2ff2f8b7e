// The moments at which a draining child closes its tunnels.
#include "tunnel/close_plan.hpp"

#include <catch2/catch.hpp>

using namespace wsp;

namespace {

constexpr std::uint32_t kLargest = UINT32_MAX;

}  // namespace

TEST_CASE("At once means now, whatever the dice say", "[drain]") {
    const ClosePlan plan = ClosePlan::at_once(EndReason::shutdown, 5000, 1000);
    REQUIRE(plan.moment(0, 5000) == 5000);
    REQUIRE(plan.moment(kLargest, 5000) == 5000);
    REQUIRE(plan.abort_at == 6000);
}

TEST_CASE("A drain's moments fill the spread at the end of the timeout evenly", "[drain]") {
    const ClosePlan plan = ClosePlan::drain(0, 600 * kSecond, 30 * kSecond, kSecond);
    REQUIRE(plan.moment(0, 0) == 570 * kSecond);
    REQUIRE(plan.moment(kLargest / 2, 0) / kSecond == 584);
    REQUIRE(plan.moment(kLargest, 0) <= 600 * kSecond);
    REQUIRE(plan.moment(kLargest, 0) > 599 * kSecond);
    REQUIRE(plan.abort_at == 601 * kSecond);
}

TEST_CASE("A spread longer than the timeout begins now", "[drain]") {
    const ClosePlan plan = ClosePlan::drain(1000, 2 * kSecond, 30 * kSecond, kSecond);
    REQUIRE(plan.moment(0, 1000) == 1000);
    REQUIRE(plan.moment(kLargest, 1000) <= 1000 + 2 * kSecond);
}

TEST_CASE("A tunnel that comes late in the spread has what is left of it", "[drain]") {
    const ClosePlan plan = ClosePlan::drain(0, 10 * kSecond, 10 * kSecond, kSecond);
    REQUIRE(plan.moment(0, 9 * kSecond) == 9 * kSecond);
    REQUIRE(plan.moment(kLargest, 9 * kSecond) <= 10 * kSecond);
    REQUIRE(plan.moment(0, 12 * kSecond) == 12 * kSecond);
}
