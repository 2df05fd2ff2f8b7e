// check_groups(): the tunnels of a group that is drained end, the others do not.
#include <catch2/catch.hpp>

#include "support/pump_rig.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

void drain(PumpRig& rig, TunnelGroup& group, DurationUs spread) {
    group.drain(EndReason::member_down, monotonic_now(), spread);
    rig.pump.check_groups();
}

}  // namespace

TEST_CASE("a group's tunnels end, and no others", "[pump]") {
    PumpRig rig;
    TunnelGroup one, two;
    const Ends first = rig.open_in(one), second = rig.open_in(one);
    const Ends other = rig.open_in(two), nobodys = rig.open();
    CHECK(second.echoes("here"));
    drain(rig, one, 0);
    for (const Ends* ends : {&first, &second}) {
        CHECK(ends->take_close(Side::client) == 1012);
        CHECK(ends->take_close(Side::backend) == 1012);
    }
    CHECK(other.echoes("still here"));
    CHECK(nobodys.echoes("still here"));
    CHECK(rig.board.await_reports(2));
    CHECK(rig.board.ended_by(EndReason::member_down) == 2);
}

TEST_CASE("a group's tunnels end within the spread, and tunnels that subscribe later stay",
          "[pump]") {
    PumpRig rig;
    TunnelGroup group;
    std::vector<Ends> all;
    for (int i = 0; i < 20; ++i)
        all.push_back(rig.open_in(group));
    CHECK(all[19].echoes("here"));
    group.drain(EndReason::member_down, monotonic_now(), 300 * kMillisecond);
    const Ends later = rig.open_in(group);  // even before the loop has looked
    rig.pump.check_groups();
    for (const Ends& ends : all)
        CHECK(ends.take_close(Side::client) == 1012);
    CHECK(later.echoes("new here"));
    drain(rig, group, 0);
    CHECK(later.take_close(Side::client) == 1012);
}

TEST_CASE("a tunnel that was on its way while its group was drained ends as it arrives", "[pump]") {
    PumpRig rig;
    TunnelGroup group;
    SocketTunnel made = make_socket_tunnel(rig.board, false, {}, {}, group.subscribe());
    drain(rig, group, 0);
    const Ends ends = rig.adopt(std::move(made));
    CHECK(ends.take_close(Side::client) == 1012);
    CHECK(ends.take_close(Side::backend) == 1012);
    CHECK(rig.board.await_reports(1));
    CHECK(rig.board.ended_by(EndReason::member_down) == 1);
}

TEST_CASE("a pump that drains goes on with its own plan", "[pump]") {
    PumpRig rig;
    TunnelGroup group;
    const Ends ends = rig.open_in(group);
    CHECK(ends.echoes("here"));
    drain(rig, group, 3600 * kSecond);
    rig.close_all(60 * kSecond, EndReason::drain);
    CHECK(ends.take_close(Side::client) == 1012);
}
