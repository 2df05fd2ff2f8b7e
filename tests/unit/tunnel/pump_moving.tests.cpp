// Pumps that hand their live tunnels to other pumps, as processes do. The peers notice nothing.
#include <catch2/catch.hpp>
#include <thread>

#include "support/move_rig.hpp"
#include "support/pump_rig.hpp"
#include "support/scarce_memory.hpp"
#include "tunnel/blocking_pump.hpp"
#include "tunnel/loop_list.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

constexpr DurationUs kLong = 60 * kSecond;

// The way between pumps, and what stands at its ends.
struct Way {
    explicit Way(EndBoard& board) : restorer(board) {
        if (!channel.open())
            throw std::runtime_error("no channel");
    }
    DescriptorChannel channel;
    TestMover mover{channel};
    BoardRestorer restorer;
    TestSource source{channel, restorer};

    // A fallback that nobody takes for the end of a test.
    MovePlan plan(DurationUs patience = kLong) {
        const MonotonicUs now = monotonic_now();
        return {&mover, now + patience, ClosePlan::at_once(EndReason::drain, now, kLong)};
    }
};

// A pump that takes in tunnels from the beginning.
struct Receiver {
    explicit Receiver(Way& way) {
        if (!pump.receive_from(way.source) || !pump.start())
            throw std::runtime_error("the receiver does not start");
    }
    ~Receiver() {
        pump.close_all(ClosePlan::at_once(EndReason::shutdown, monotonic_now(), 0));
        static_cast<void>(pump.join(kPatienceMs * kMillisecond));
    }
    Pump pump;
};

// Half a frame has been sent. The rest follows after the move.
struct Interrupted {
    const std::string bytes = frame(Side::client, kText, "begun here and ended there");
    const std::size_t half = 9;

    bool begin(const Ends& ends) const {
        return send_all(ends.client.get(), bytes.substr(0, half)) &&
               read_up_to(ends.backend.get(), half) == bytes.substr(0, half);
    }
    bool end(const Ends& ends) const {
        const std::string rest = bytes.substr(half);
        return send_all(ends.client.get(), rest) &&
               read_up_to(ends.backend.get(), rest.size()) == rest;
    }
};

}  // namespace

TEST_CASE("tunnels move from one pump to another, and their peers notice nothing", "[pump]") {
    const bool tcp = GENERATE(false, true);
    const std::size_t before = open_descriptors();
    {
        PumpRig from;
        Way way(from.board);
        Receiver to(way);
        std::vector<Ends> open;
        for (int i = 0; i < 300; ++i)
            open.push_back(from.open(tcp));
        const Interrupted message;
        for (const Ends& ends : open)
            CHECK(message.begin(ends));
        from.pump.move_all(way.plan());
        CHECK(await([&] { return to.pump.tunnels() == 300; }));
        CHECK(await([&] { return from.pump.moved_tunnels() == 300; }));
        for (const Ends& ends : open) {
            CHECK(message.end(ends));
            CHECK(ends.echoes("and on"));
        }
        CHECK(from.join());
        CHECK(from.pump.tunnels() == 0);
        CHECK(from.pump.adopted_tunnels() == 300);
        CHECK(from.pump.ended_tunnels() == 0);
        CHECK(to.pump.adopted_tunnels() == 300);
        CHECK(to.pump.received_tunnels() == 300);
        CHECK(from.board.moved() == 300);
        CHECK(from.board.reports().empty());
        for (const Ends& ends : open)
            CHECK(ends.close_well());
        CHECK(await([&] { return to.pump.ended_tunnels() == 300; }));
        CHECK(from.board.ended_by(EndReason::client_close) == 300);
        // Once in the old process without a word, and once at the end.
        CHECK(from.board.await_destroyed(600));
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("bytes that are held move with their tunnel", "[pump]") {
    PumpRig from;
    Way way(from.board);
    const Ends ends = from.open();
    shrink_buffers(ends.client.get());
    const std::string large = frame(Side::backend, kBinary, std::string(3'000'000, 'x'));
    std::thread writes([&] { send_all(ends.backend.get(), large); });
    CHECK(wait_for(ends.client.get(), POLLIN));
    std::string got = read_up_to(ends.client.get(), 1000);
    Receiver to(way);
    from.pump.move_all(way.plan());
    CHECK(await([&] { return to.pump.tunnels() == 1; }));
    got += read_up_to(ends.client.get(), large.size() - got.size());
    writes.join();
    CHECK((got == large));
    CHECK(ends.close_well());
}

TEST_CASE("a tunnel that arrives while the others move follows them", "[pump]") {
    PumpRig from;
    Way way(from.board);
    from.pump.move_all(way.plan());
    const Ends ends = from.open();
    Receiver to(way);
    CHECK(await([&] { return to.pump.tunnels() == 1; }));
    CHECK(ends.echoes("hello"));
    CHECK(from.join());
}

TEST_CASE("what was sent and nobody reads is taken back by a pump that leaves, and moves again",
          "[pump]") {
    PumpRig from;
    Way way(from.board);
    TestMover nobody(way.channel);
    nobody.instead = SendOutcome::not_now;
    Receiver leaves(way);
    MovePlan plan = way.plan();
    plan.via = &nobody;
    leaves.pump.move_all(plan);
    CHECK(wait_for(way.channel.read_fd(), POLLIN));  // its nudge: it reads no more
    std::vector<Ends> open;
    for (int i = 0; i < 20; ++i)
        open.push_back(from.open());
    from.pump.move_all(way.plan());
    CHECK(await([&] { return from.pump.moved_tunnels() == 20; }));
    CHECK(leaves.pump.adopted_tunnels() == 0);
    way.source.orphans = true;
    CHECK(await([&] { return leaves.pump.tunnels() == 20; }));
    for (const Ends& ends : open)
        CHECK(ends.echoes("here again"));
    way.source.orphans = false;
    nobody.instead = SendOutcome::sent;
    Receiver to(way);
    CHECK(await([&] { return to.pump.tunnels() == 20; }));
    CHECK(leaves.pump.moved_tunnels() == 20);
    for (const Ends& ends : open)
        CHECK(ends.echoes("and there"));
}

TEST_CASE("while nobody reads, tunnels go on where they are, and move when somebody does",
          "[pump]") {
    PumpRig from;
    Way way(from.board);
    std::vector<Ends> open;
    for (int i = 0; i < 400; ++i)
        open.push_back(from.open());
    from.pump.move_all(way.plan());
    // The channel is full of some, and the others stay.
    CHECK(await([&] { return from.pump.moved_tunnels() > 0; }));
    CHECK(await([&] {
        const std::size_t moved = from.pump.moved_tunnels();
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        return from.pump.moved_tunnels() == moved;
    }));
    CHECK(from.pump.tunnels() > 0);
    const std::string sent = frame(Side::client, kText, "x");
    for (const Ends& ends : open)
        CHECK(send_all(ends.client.get(), sent));
    CHECK(await([&] {
        std::size_t alive = 0;
        for (const Ends& ends : open)
            alive += wait_for(ends.backend.get(), POLLIN, 0);
        return alive >= from.pump.tunnels();
    }));
    Receiver to(way);
    CHECK(await([&] { return to.pump.tunnels() == 400; }));
    for (const Ends& ends : open)
        CHECK(read_up_to(ends.backend.get(), sent.size()) == sent);
}

TEST_CASE("a mover that says not now is asked again", "[pump]") {
    PumpRig from;
    Way way(from.board);
    Receiver to(way);
    const Ends ends = from.open();
    way.mover.instead = GENERATE(SendOutcome::not_now, SendOutcome::full);
    from.pump.move_all(way.plan());
    CHECK(await([&] { return way.mover.asked > 3; }));
    CHECK(ends.echoes("still here"));
    way.mover.instead = SendOutcome::sent;
    CHECK(await([&] { return to.pump.tunnels() == 1; }));
    CHECK(ends.echoes("there"));
}

TEST_CASE("a tunnel that can never move ends as the fallback plans, and the others move",
          "[pump]") {
    PumpRig from;
    Way way(from.board);
    Receiver to(way);
    way.mover.instead = SendOutcome::impossible;
    Ends stays = from.open();
    from.pump.move_all(way.plan());
    CHECK(stays.take_close(Side::client) == 1012);
    CHECK(stays.take_close(Side::backend) == 1012);
    stays = {};
    CHECK(await([&] { return from.board.ended_by(EndReason::drain) == 1; }));
    way.mover.instead = SendOutcome::sent;
    const Ends moves = from.open();
    CHECK(await([&] { return to.pump.tunnels() == 1; }));
    CHECK(moves.echoes("hello"));
}

TEST_CASE("when nobody comes in time, the fallback plan takes over", "[pump]") {
    PumpRig from;
    Way way(from.board);
    way.mover.instead = SendOutcome::not_now;
    const Ends ends = from.open();
    from.pump.move_all(way.plan(30 * kMillisecond));
    CHECK(ends.take_close(Side::client) == 1012);
    const Ends late = from.open();
    CHECK(late.take_close(Side::client) == 1012);
    CHECK(from.pump.moved_tunnels() == 0);
}

TEST_CASE("close_all() wins over a move, before it and after it", "[pump]") {
    const bool first = GENERATE(true, false);
    PumpRig from;
    Way way(from.board);
    way.mover.instead = SendOutcome::not_now;
    Ends ends = from.open();
    if (first)
        from.close_all(kLong);
    from.pump.move_all(way.plan());
    if (!first) {
        CHECK(await([&] { return way.mover.asked > 0; }));
        from.close_all(kLong);
    }
    CHECK(ends.take_close(Side::client) == 1012);
    way.mover.instead = SendOutcome::sent;
    CHECK(ends.take_close(Side::backend) == 1012);
    ends = {};
    CHECK(await([&] { return from.pump.ended_tunnels() == 1; }));
    CHECK(from.pump.moved_tunnels() == 0);
}

TEST_CASE("a pump that leaves does not take in tunnels, and wakes another reader", "[pump]") {
    const int how = GENERATE(0, 1, 2);
    EndBoard board;
    Way way(board);
    Way nowhere(board);
    nowhere.mover.instead = SendOutcome::not_now;
    Receiver leaves(way);
    switch (how) {
        case 0:
            leaves.pump.stop_receiving();
            break;
        case 1:
            leaves.pump.move_all(nowhere.plan());
            break;
        default:
            leaves.pump.close_all(ClosePlan::at_once(EndReason::drain, monotonic_now(), kLong));
    }
    CHECK(wait_for(way.channel.read_fd(), POLLIN));  // the nudge, which it does not read
    PumpRig from;
    const Ends ends = from.open();
    from.pump.move_all(way.plan());
    CHECK(await([&] { return from.pump.moved_tunnels() == 1; }));
    CHECK(leaves.pump.tunnels() == 0);
    Receiver to(way);
    CHECK(await([&] { return to.pump.tunnels() == 1; }));
    CHECK(way.source.nudges == 1);
    CHECK(ends.echoes("hello"));
}

TEST_CASE("a moved tunnel follows its new loop's commands", "[pump]") {
    PumpRig from;
    Way way(from.board);
    TunnelGroup group;
    way.restorer.group = group.subscribe();
    Receiver to(way);
    Ends ends = from.open();
    from.pump.move_all(way.plan());
    CHECK(await([&] { return to.pump.tunnels() == 1; }));
    group.drain(EndReason::member_down, monotonic_now(), 0);
    to.pump.check_groups();
    CHECK(ends.take_close(Side::client) == 1012);
    CHECK(ends.take_close(Side::backend) == 1012);
    ends = {};
    CHECK(await([&] { return from.board.ended_by(EndReason::member_down) == 1; }));
}

TEST_CASE("timers go on where the tunnel is", "[pump]") {
    PumpRig from;
    Way way(from.board);
    Receiver to(way);
    Policy policy;
    policy.idle_timeout = 200 * kMillisecond;
    Ends ends = from.open(false, policy);
    from.pump.move_all(way.plan());
    CHECK(await([&] { return to.pump.received_tunnels() == 1; }));
    CHECK(ends.take_close(Side::client) == 1012);
    CHECK(ends.take_close(Side::backend) == 1012);
    ends = {};
    CHECK(await([&] { return from.board.ended_by(EndReason::idle_timeout) == 1; }));
}

TEST_CASE("loops that are added to a list later move their tunnels too", "[pump]") {
    EndBoard board;
    Way way(board);
    Receiver to(way);
    LoopList list;
    list.move_all(way.plan());
    PumpRig from;
    const LoopList::Entry entry(list, from.pump);
    const Ends ends = from.open();
    CHECK(await([&] { return to.pump.tunnels() == 1; }));
    CHECK(ends.echoes("hello"));
}

TEST_CASE("a blocking pump cannot move its tunnel and follows the fallback", "[pump]") {
    EndBoard board;
    Way way(board);
    SocketTunnel made = make_socket_tunnel(board);
    BlockingPump pump(-1, nullptr);
    std::thread runs([&] { pump.run(std::move(made.tunnel)); });
    CHECK(made.ends.echoes("hello"));
    pump.move_all(way.plan());
    CHECK(made.ends.take_close(Side::client) == 1012);
    CHECK(made.ends.take_close(Side::backend) == 1012);
    made.ends = {};
    runs.join();
    CHECK(way.mover.asked == 0);
}

TEST_CASE("without memory a move loses no tunnel silently", "[pump]") {
    each_allocation_fails([](std::size_t nth) {
        PumpRig from;
        Way way(from.board);
        Receiver to(way);
        std::vector<Ends> open;
        for (int i = 0; i < 3; ++i)
            open.push_back(from.open());
        for (const Ends& ends : open)
            CHECK(ends.echoes("before"));
        {
            const ScarceMemory scarce(nth);
            from.pump.move_all(way.plan());
            await([&] { return from.pump.moved_tunnels() == 3; });
            await([&] { return to.pump.tunnels() + from.board.reports().size() >= 2; });
        }
        const std::size_t lost = ScarceMemory::has_failed() ? 1 : 0;
        CHECK(from.pump.moved_tunnels() == 3);
        CHECK(await([&] { return from.board.destroyed() >= 3; }));
        std::size_t alive = 0;
        for (const Ends& ends : open)
            alive += ends.echoes("after");
        CHECK(alive + lost >= 3);
        CHECK(from.board.ended_by(EndReason::out_of_memory) <= lost);
    });
}

TEST_CASE("hundreds of tunnels echo while they are moved to and fro", "[pump]") {
    constexpr int kTunnels = 500, kMoves = 20, kWriters = 2;
    const std::size_t before = open_descriptors();
    {
        EndBoard board;
        Way way(board);
        auto home = std::make_unique<Receiver>(way);
        std::vector<Ends> open;
        for (int i = 0; i < kTunnels; ++i) {
            SocketTunnel made = make_socket_tunnel(board);
            REQUIRE(home->pump.adopt(made.tunnel));
            open.push_back(std::move(made.ends));
        }
        std::atomic<bool> stop{false};
        std::atomic<int> broken{0};
        std::vector<std::thread> talk;
        for (int w = 0; w < kWriters; ++w)
            talk.emplace_back([&, w] {
                for (std::size_t round = 0; !stop; ++round)
                    for (int i = w; i < kTunnels && !stop; i += kWriters)
                        broken += !open[static_cast<std::size_t>(i)].echoes(
                            std::to_string(round * 1000 + static_cast<std::size_t>(i)));
            });
        for (int move = 0; move < kMoves; ++move) {
            auto next = std::make_unique<Receiver>(way);
            home->pump.move_all(way.plan());
            CHECK(await([&] { return next->pump.tunnels() == kTunnels; }));
            CHECK(home->pump.join(kLong));
            CHECK(home->pump.moved_tunnels() == kTunnels);
            home = std::move(next);
        }
        stop = true;
        for (std::thread& one : talk)
            one.join();
        CHECK(broken == 0);
        CHECK(board.reports().empty());
        CHECK(board.moved() == kTunnels * kMoves);
        for (const Ends& ends : open)
            CHECK(ends.close_well());
        CHECK(await([&] { return home->pump.tunnels() == 0; }));
        CHECK(board.ended_by(EndReason::client_close) == kTunnels);
    }
    CHECK(open_descriptors() == before);
}
