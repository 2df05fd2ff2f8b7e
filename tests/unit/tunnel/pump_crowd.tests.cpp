// A thousand tunnels that come and go in any order.
#include <catch2/catch.hpp>
#include <random>

#include "support/pump_rig.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

constexpr std::size_t kTunnels = 1000;
constexpr std::size_t kAtOnce = 100;

enum class Leave { well, client_vanishes, backend_vanishes, half_a_frame, count };

void leave(Ends& ends, Leave how) {
    switch (how) {
        case Leave::well:
            CHECK(ends.close_well());
            break;
        case Leave::client_vanishes:
            ends.client.reset();
            CHECK(at_end(ends.backend.get()));
            break;
        case Leave::backend_vanishes:
            ends.backend.reset();
            CHECK(at_end(ends.client.get()));
            break;
        default:
            send_all(ends.client.get(), frame(Side::client, kText, "cut off").substr(0, 9));
            break;
    }
    ends = {};
}

}  // namespace

TEST_CASE("a thousand tunnels come and go in any order and leave nothing behind", "[pump]") {
    const std::size_t before = open_descriptors();
    {
        PumpRig rig;
        std::mt19937 random(3);
        const auto below = [&](std::size_t n) {
            return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
        };
        std::vector<Ends> open;
        std::size_t opened = 0;
        while (opened < kTunnels || !open.empty()) {
            const bool more = opened < kTunnels && open.size() < kAtOnce;
            if (more && (open.empty() || below(3) != 0)) {
                open.push_back(rig.open(below(4) == 0));
                ++opened;
                continue;
            }
            const std::size_t i = below(open.size());
            CHECK(open[i].echoes(std::string(below(300), 'x')));
            leave(open[i], static_cast<Leave>(below(static_cast<std::size_t>(Leave::count))));
            std::swap(open[i], open.back());
            open.pop_back();
        }
        CHECK(rig.board.await_destroyed(kTunnels));
        CHECK(rig.board.reports().size() == kTunnels);
        CHECK(await([&] { return rig.pump.tunnels() == 0; }));
        rig.close_all(0);
        CHECK(rig.join());
        for (const TunnelReport& report : rig.board.reports()) {
            CHECK(report.reason != EndReason::none);
            CHECK(report.reason != EndReason::shutdown);
        }
    }
    CHECK(open_descriptors() == before);
}
