// close_group(): the tunnels of one backend end, the others do not.
#include <catch2/catch.hpp>

#include "support/pump_rig.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

Policy of_group(const void* group) {
    Policy policy;
    policy.group = group;
    return policy;
}

ClosePlan within(DurationUs spread) {
    return ClosePlan::member_down(monotonic_now(), spread);
}

}  // namespace

TEST_CASE("a group's tunnels are told to go, and no others", "[pump]") {
    PumpRig rig;
    const int one = 1, two = 2;
    const Ends first = rig.open(false, of_group(&one)), second = rig.open(false, of_group(&one));
    const Ends other = rig.open(false, of_group(&two)), nobodys = rig.open();
    CHECK(second.echoes("here"));
    REQUIRE(rig.pump.close_group(&one, within(0)));
    for (const Ends* ends : {&first, &second}) {
        CHECK(ends->take_close(Side::client) == 1012);
        CHECK(ends->take_close(Side::backend) == 1012);
    }
    CHECK(other.echoes("still here"));
    CHECK(nobodys.echoes("still here"));
    CHECK(rig.board.await_reports(2));
    CHECK(rig.board.ended_by(EndReason::member_down) == 2);
}

TEST_CASE("a group's tunnels go within the spread, and who comes later stays", "[pump]") {
    PumpRig rig;
    const int group = 1;
    std::vector<Ends> all;
    for (int i = 0; i < 20; ++i)
        all.push_back(rig.open(false, of_group(&group)));
    CHECK(all[19].echoes("here"));
    REQUIRE(rig.pump.close_group(&group, within(300 * kMillisecond)));
    CHECK(all[0].take_close(Side::client) == 1012);  // close_group() has been carried out
    const Ends later = rig.open(false, of_group(&group));
    for (std::size_t i = 1; i < all.size(); ++i)
        CHECK(all[i].take_close(Side::client) == 1012);
    CHECK(later.echoes("new here"));
}

TEST_CASE("a pump that drains goes on with its own plan", "[pump]") {
    PumpRig rig;
    const int group = 1;
    const Ends ends = rig.open(false, of_group(&group));
    CHECK(ends.echoes("here"));
    REQUIRE(rig.pump.close_group(&group, within(3600 * kSecond)));
    rig.close_all(60 * kSecond, EndReason::drain);
    CHECK(ends.take_close(Side::client) == 1012);
}
