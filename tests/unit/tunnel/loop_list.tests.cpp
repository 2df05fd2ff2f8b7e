// Commands for all loops of a process, pumps and blocking pumps.
#include "tunnel/loop_list.hpp"

#include <catch2/catch.hpp>
#include <optional>
#include <thread>

#include "support/pump_rig.hpp"
#include "tunnel/blocking_pump.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

// A tunnel on a thread of its own, in a list.
class Listed {
  public:
    Listed(LoopList& list, EndBoard& board, TunnelGroup::Subscription group = {})
        : made_(make_socket_tunnel(board, false, {}, {}, group)),
          ends(std::move(made_.ends)),
          thread_([this, &list] {
              BlockingPump pump(-1, nullptr);
              const LoopList::Entry entry(list, pump);
              pump.run(std::move(made_.tunnel));
          }) {}
    ~Listed() {
        ends = {};
        thread_.join();
    }

  private:
    SocketTunnel made_;

  public:
    Ends ends;

  private:
    std::thread thread_;
};

bool is_told(const Ends& ends) {
    return ends.take_close(Side::client) == 1012 && ends.take_close(Side::backend) == 1012;
}

}  // namespace

TEST_CASE("a command to all loops reaches pumps, blocking pumps and those that come later",
          "[pump]") {
    LoopList list;
    PumpRig rig, later_rig;
    const LoopList::Entry entry(list, rig.pump);
    const Ends pumped = rig.open();
    Listed first(list, rig.board), second(list, rig.board);
    CHECK(pumped.echoes("here"));
    CHECK(first.ends.echoes("here"));
    CHECK(second.ends.echoes("here"));
    list.close_all(ClosePlan::at_once(EndReason::drain, monotonic_now(), 20 * kSecond));
    CHECK(is_told(pumped));
    CHECK(is_told(first.ends));
    CHECK(is_told(second.ends));
    Listed later(list, rig.board);
    CHECK(is_told(later.ends));
    const LoopList::Entry late_entry(list, later_rig.pump);
    CHECK(is_told(later_rig.open()));
}

TEST_CASE("a loop that has left the list gets no command", "[pump]") {
    LoopList list;
    PumpRig first, second, third;
    const LoopList::Entry stays(list, first.pump);
    std::optional<LoopList::Entry> leaves(std::in_place, list, second.pump);
    std::optional<LoopList::Entry> leaves_too(std::in_place, list, third.pump);
    const Ends told = first.open(), spared = second.open(), spared_too = third.open();
    leaves.reset();  // from the middle
    leaves_too.reset();
    list.close_all(ClosePlan::stop(monotonic_now()));
    CHECK(is_told(told));
    CHECK(spared.echoes("here"));
    CHECK(spared_too.echoes("here"));
}

TEST_CASE("a group's tunnels end, whichever loop they are in", "[pump]") {
    LoopList list;
    PumpRig rig;
    const LoopList::Entry entry(list, rig.pump);
    TunnelGroup group;
    const Ends pumped = rig.open_in(group), nobodys = rig.open();
    Listed blocking(list, rig.board, group.subscribe()), other(list, rig.board);
    CHECK(pumped.echoes("here"));
    CHECK(blocking.ends.echoes("here"));
    CHECK(other.ends.echoes("here"));
    group.drain(EndReason::member_down, monotonic_now(), 0);
    list.check_groups();
    CHECK(is_told(pumped));
    CHECK(is_told(blocking.ends));
    CHECK(nobodys.echoes("still here"));
    CHECK(other.ends.echoes("still here"));
}
