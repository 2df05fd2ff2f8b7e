// Who ends with a group, and how.
#include "tunnel/tunnel_group.hpp"

#include <catch2/catch.hpp>

using namespace wsp;

TEST_CASE("a subscription sees each later drain once, and no earlier one", "[drain]") {
    TunnelGroup group, other;
    auto before = group.subscribe(), elsewhere = other.subscribe();
    CHECK_FALSE(before.is_drained());
    group.drain(EndReason::member_down, 5000, 1000);
    auto after = group.subscribe();
    CHECK(before.is_drained());
    CHECK_FALSE(before.is_drained());
    CHECK_FALSE(after.is_drained());
    CHECK_FALSE(elsewhere.is_drained());
    group.drain(EndReason::member_down, 9000, 1000);
    CHECK(before.is_drained());
    CHECK(after.is_drained());
}

TEST_CASE("a drained group's tunnels end within the spread and are not aborted", "[drain]") {
    TunnelGroup group;
    auto tunnel = group.subscribe();
    group.drain(EndReason::member_down, 5000, 1000);
    const ClosePlan plan = tunnel.plan();
    CHECK(plan.reason == EndReason::member_down);
    CHECK(plan.moment(0, 5000) == 5000);
    CHECK(plan.moment(UINT32_MAX, 5000) <= 6000);
    CHECK(plan.moment(UINT32_MAX, 5000) >= 5999);
    CHECK(plan.abort_at == kNever);
}

TEST_CASE("a tunnel in no group is never drained", "[drain]") {
    TunnelGroup::Subscription nobodys;
    CHECK_FALSE(nobodys.is_drained());
}
