// Tunnels between peers that do anything at any time. Nothing particular is expected, but that it
// ends well.
#include <catch2/catch.hpp>
#include <random>

#include "support/tunnel_verdict.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

class Chaos {
  public:
    explicit Chaos(unsigned seed) : random_(seed) {}

    std::size_t below(std::size_t n) {
        return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
    }
    bool rarely() { return below(20) == 0; }

    Setup setup() {
        Setup setup;
        setup.raw = rarely();
        setup.policy.validate = Validate(below(3));
        setup.policy.buffer_size = 1 + below(300);
        setup.policy.idle_timeout = below(2) * 30 * kSecond;
        setup.policy.half_close = below(8) != 0;
        setup.policy.max_message_from_client = below(4) == 0 ? 1 + below(800) : 0;
        setup.policy.max_message_from_backend = below(4) == 0 ? 1 + below(800) : 0;
        if (below(3) == 0) {
            setup.policy.message_rate = static_cast<std::uint32_t>(1 + below(50));
            setup.policy.message_burst = static_cast<std::uint32_t>(1 + below(20));
        }
        if (below(4) == 0) {
            setup.policy.validate = Validate::frames;  // a lost scanner cannot tell whose a Pong is
            setup.policy.ping_interval = 5 * kSecond;
            setup.policy.ping_deadline = 3 * kSecond;
            setup.policy.ping_backend = below(2) == 0;
        }
        setup.lifetime = below(6) == 0 ? static_cast<DurationUs>(below(40)) * kSecond : 0;
        if (below(3) == 0)
            setup.early_from_client = some_bytes(Side::client);
        if (below(3) == 0)
            setup.early_from_backend = some_bytes(Side::backend);
        return setup;
    }

    Variation variation() {
        return {below(20),
                0,
                below(3) == 0 ? below(50) : 0,
                below(2) == 0,
                132 + below(400),
                below(2) == 0 ? 1 + below(4) : 0};
    }

    Fault fault() {
        if (below(3) != 0)
            return {};
        return {Fault::Kind(1 + below(3)), below(2) == 0 ? Side::client : Side::backend,
                1 + below(40)};
    }

    void play(Rig& rig) {
        if (below(3) != 0)
            rig.client.answer_pings();
        if (below(3) != 0)
            rig.backend.answer_pings();
        for (std::size_t steps = 1 + below(60); steps > 0 && rig.problem.empty(); --steps) {
            act(rig, rig.peer(below(2) == 0 ? Side::client : Side::backend));
            if (below(3) != 0)
                rig.run();
            if (rig.tunnel->done())
                return;
        }
    }

  private:
    std::string some_bytes(Side from) {
        const std::size_t size = below(4) == 0 ? below(400) : below(20);
        const std::string payload(size == 8 ? 9 : size, 'x');  // eight bytes are the proxy's Pings
        switch (below(8)) {
            case 0:
                return frame(from, kPing, payload.substr(0, 125));
            case 1:
                return fragment(from, kText, payload) + frame(from, kContinuation, payload);
            case 2:
                return rarely() ? frame(from, unsigned(below(16)), payload) : "";
            case 3:
                return rarely() ? std::string(below(20), char(below(256))) : "";
            default:
                return frame(from, kText, payload);
        }
    }

    void act(Rig& rig, ScriptedPeer& peer) {
        switch (below(16)) {
            case 0:
                return rarely() ? peer.close(1000) : peer.text("not yet");
            case 1:
                return rarely() ? peer.end() : peer.text("not yet");
            case 2:
                return rarely() ? peer.reset() : peer.text("not yet");
            case 3:
                return rarely() ? rig.end_by_proxy() : peer.text("not yet");
            case 4:
                return peer.stop_reading();
            case 5:
            case 6:
                return peer.read(below(200));
            case 7:
                return peer.read_all();
            case 8:
                return rig.pass(static_cast<DurationUs>(below(5)) * kSecond);
            case 9:
                return rarely() ? peer.stay_silent() : peer.text("hm");
            case 10: {
                const std::string bytes = some_bytes(peer.side());
                const std::size_t cut = below(bytes.size() + 1);
                peer.send(bytes.substr(0, cut));
                rig.run();
                return peer.send(bytes.substr(cut));
            }
            default:
                return peer.send(some_bytes(peer.side()));
        }
    }

    std::mt19937 random_;
};

}  // namespace

TEST_CASE("peers that do anything at any time cannot make a tunnel misbehave") {
    for (unsigned seed = 0; seed < 4000; ++seed) {
        Chaos chaos(seed);
        const Setup setup = chaos.setup();
        const Variation variation = chaos.variation();
        Rig rig(setup, variation, chaos.fault());
        chaos.play(rig);
        rig.finish();
        const std::string found = judge(rig);
        if (found.empty())
            continue;
        CAPTURE(seed);
        FAIL_CHECK(found);
    }
    SUCCEED();
}
