// A pump whose memory runs out: tunnels end or are refused, none is lost, and the loop goes on.
#include <catch2/catch.hpp>
#include <future>

#include "support/pump_rig.hpp"
#include "support/scarce_memory.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

// Ends on the pump's thread, and keeps it there until the gate opens.
class Gate {
  public:
    void close(PumpRig& rig) {
        SocketPair client = unix_pair(), backend = unix_pair();
        TunnelParts parts;
        parts.client = std::make_unique<SocketStream>(std::move(client.ours));
        parts.backend = std::make_unique<SocketStream>(std::move(backend.ours));
        parts.terms.policy = std::make_shared<const Policy>();
        parts.observer = std::make_unique<Keeper>(*this);
        auto tunnel = std::make_unique<Tunnel>(std::move(parts));
        client.theirs.reset();
        backend.theirs.reset();
        REQUIRE(rig.pump.adopt(tunnel));
        reached_.get_future().wait();
    }
    void open() { opened_.set_value(); }

  private:
    class Keeper final : public TunnelObserver {
      public:
        explicit Keeper(Gate& gate) : gate_(gate) {}
        void on_end(const TunnelReport&) noexcept override {
            gate_.reached_.set_value();
            gate_.opened_.get_future().wait();
        }

      private:
        Gate& gate_;
    };

    std::promise<void> reached_, opened_;
};

}  // namespace

TEST_CASE("a crowd that comes and goes in one round while memory runs out is reported whole",
          "[pump]") {
    constexpr std::size_t kCrowd = 40;
    const std::size_t allocations = each_allocation_fails([&](std::size_t nth) {
        PumpRig rig;
        const Ends stays = rig.open();
        REQUIRE(stays.echoes("before"));
        Gate gate;
        gate.close(rig);
        std::vector<Ends> open;
        for (std::size_t i = 0; i < kCrowd; ++i) {
            SocketTunnel made = make_socket_tunnel(rig.board);
            if (i < kCrowd / 2) {
                made.ends = {};  // over before it begins
            }
            open.push_back(rig.adopt(std::move(made)));
        }
        {
            const ScarceMemory scarce(nth);
            gate.open();
            await([&] {
                return rig.board.destroyed() >= kCrowd / 2 && rig.pump.tunnels() <= kCrowd / 2 + 1;
            });
        }
        const std::size_t lost = ScarceMemory::has_failed() ? 1 : 0;
        // A tunnel is reported before it is destroyed.
        CHECK(await([&] {
            return rig.pump.tunnels() + rig.board.destroyed() == kCrowd + 1 &&
                   rig.board.reports().size() == rig.board.destroyed();
        }));
        CHECK(rig.board.destroyed() <= kCrowd / 2 + lost);
        CHECK(rig.board.ended_by(EndReason::out_of_memory) <= lost);
        CHECK(stays.echoes("after"));
    });
    CHECK(allocations >= 5);  // each list of the loop grows
}

TEST_CASE("a tunnel that finds no room in the inbox stays its owner's", "[pump]") {
    each_allocation_fails([](std::size_t nth) {
        PumpRig rig;
        SocketTunnel made = make_socket_tunnel(rig.board);
        bool adopted = false;
        {
            const ScarceMemory scarce(nth);
            adopted = rig.pump.adopt(made.tunnel);
        }
        CHECK(adopted == (made.tunnel == nullptr));
        if (!adopted) {
            CHECK(ScarceMemory::has_failed());
            CHECK(rig.pump.tunnels() == 0);
            REQUIRE(rig.pump.adopt(made.tunnel));
        }
        CHECK((made.ends.echoes("hello") || rig.board.ended_by(EndReason::out_of_memory) == 1));
    });
}

TEST_CASE("commands need no memory", "[pump]") {
    PumpRig rig;
    TunnelGroup group;
    const Ends ends = rig.open_in(group), other = rig.open();
    REQUIRE(ends.echoes("hello"));
    REQUIRE(other.echoes("hello"));
    {
        const ScarceMemory scarce(1);
        group.drain(EndReason::member_down, monotonic_now(), 0);
        rig.pump.check_groups();
        rig.close_all(20 * kSecond);
    }
    CHECK_FALSE(ScarceMemory::has_failed());
    CHECK(ends.take_close(Side::client) == 1012);
    CHECK(other.take_close(Side::client) == 1012);
}

TEST_CASE("a tunnel that ends before it has begun has a duration of 0", "[tunnel]") {
    EndBoard board;
    SocketTunnel made = make_socket_tunnel(board);
    made.tunnel->abort(EndReason::out_of_memory);
    made.tunnel->finish_report(monotonic_now());
    REQUIRE(board.reports().size() == 1);
    CHECK(board.reports()[0].duration == 0);
}
