// The end of a pump: close_all(), join(), and what comes to it meanwhile and afterwards.
#include <poll.h>

#include <catch2/catch.hpp>
#include <thread>

#include "support/pump_rig.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

constexpr DurationUs kLong = 60 * kSecond;

}  // namespace

TEST_CASE("a pump without tunnels ends when it is told to", "[pump]") {
    PumpRig rig;
    rig.close_all(kLong);
    CHECK(rig.join());
    CHECK(rig.join());
}

TEST_CASE("a pump that never started may be destroyed, adopts nothing and has ended", "[pump]") {
    EndBoard board;
    Pump pump;
    SocketTunnel made = make_socket_tunnel(board);
    CHECK_FALSE(pump.adopt(made.tunnel));
    CHECK(made.tunnel != nullptr);
    CHECK(pump.join(0));
    CHECK(board.reports().empty());
}

TEST_CASE("close_all() sends a Close to all peers and waits for the replies", "[pump]") {
    PumpRig rig;
    std::vector<Ends> all;
    for (int i = 0; i < 30; ++i)
        all.push_back(rig.open());
    CHECK(all[29].echoes("hello"));
    rig.close_all(kLong, EndReason::drain);
    for (const Ends& ends : all) {
        CHECK(ends.take_close(Side::client) == 1012);
        CHECK(ends.take_close(Side::backend) == 1012);
        CHECK(at_end(ends.client.get()));
        ::shutdown(ends.client.get(), SHUT_WR);
    }
    CHECK(rig.join());
    CHECK(rig.board.ended_by(EndReason::drain) == 30);
    CHECK(rig.board.destroyed() == 30);
    CHECK(rig.pump.tunnels() == 0);
}

TEST_CASE("a tunnel whose peers do not answer is aborted when the patience is over", "[pump]") {
    PumpRig rig;
    Policy slow;
    slow.close_timeout = kLong;
    std::vector<Ends> all;
    for (int i = 0; i < 10; ++i)
        all.push_back(rig.open(false, slow));
    rig.close_all(50 * kMillisecond);
    CHECK(rig.join());
    CHECK(rig.board.ended_by(EndReason::shutdown) == 10);
    for (const Ends& ends : all) {
        CHECK(ends.take_close(Side::client) == 1012);
        CHECK(at_end(ends.client.get()));
    }
}

TEST_CASE("join() gives up before the tunnels do, and may be tried again", "[pump]") {
    PumpRig rig;
    Policy slow;
    slow.close_timeout = kLong;
    const Ends ends = rig.open(false, slow);
    rig.close_all(kLong);
    CHECK_FALSE(rig.pump.join(10 * kMillisecond));
    CHECK(rig.pump.tunnels() == 1);
    rig.close_all(0);
    CHECK(rig.join());
    CHECK(rig.board.destroyed() == 1);
}

TEST_CASE("a second close_all() can only bring the end nearer", "[pump]") {
    PumpRig rig;
    Policy slow;
    slow.close_timeout = kLong;
    const Ends ends = rig.open(false, slow);
    rig.close_all(20 * kMillisecond, EndReason::drain);
    rig.close_all(kLong, EndReason::shutdown);
    CHECK(rig.join());
    CHECK(rig.board.ended_by(EndReason::drain) == 1);
}

TEST_CASE("a tunnel that is adopted after close_all() is closed too", "[pump]") {
    PumpRig rig;
    rig.close_all(kLong, EndReason::drain);
    const Ends ends = rig.open();
    CHECK(ends.take_close(Side::client) == 1012);
    CHECK(ends.take_close(Side::backend) == 1012);
    ::shutdown(ends.client.get(), SHUT_WR);
    CHECK(rig.join());
    CHECK(rig.board.ended_by(EndReason::drain) == 1);
}

TEST_CASE("a pump that has ended adopts nothing and leaves the tunnel with its owner", "[pump]") {
    PumpRig rig;
    rig.close_all(0);
    REQUIRE(rig.join());
    SocketTunnel made = make_socket_tunnel(rig.board);
    CHECK_FALSE(rig.pump.adopt(made.tunnel));
    REQUIRE(made.tunnel != nullptr);
    CHECK(rig.board.destroyed() == 0);
    made.tunnel.reset();
    CHECK(rig.board.destroyed() == 1);
    CHECK(rig.board.reports().empty());
}

TEST_CASE("a drain closes no tunnel before its span begins", "[pump]") {
    PumpRig rig;
    std::vector<Ends> all;
    for (int i = 0; i < 20; ++i)
        all.push_back(rig.open());
    CHECK(all[19].echoes("everybody's time runs"));
    const MonotonicUs now = monotonic_now();
    rig.pump.close_all(ClosePlan::drain(now, 300 * kMillisecond, 250 * kMillisecond, kLong));
    for (const Ends& ends : all) {
        CHECK(ends.take_close(Side::client) == 1012);
        CHECK(ends.take_close(Side::backend) == 1012);
        ::shutdown(ends.client.get(), SHUT_WR);
    }
    CHECK(rig.join());
    CHECK(rig.board.ended_by(EndReason::drain) == 20);
    for (const TunnelReport& report : rig.board.reports())
        CHECK(report.duration >= 50 * kMillisecond);
}

// One of a hundred goes in the first second or so; by then the others must not have gone with it.
TEST_CASE("a drain gives every tunnel a moment of its own", "[pump]") {
    PumpRig rig;
    std::vector<Ends> all;
    std::vector<pollfd> clients;
    for (int i = 0; i < 100; ++i) {
        all.push_back(rig.open());
        clients.push_back({all.back().client.get(), POLLIN, 0});
    }
    rig.pump.close_all(ClosePlan::drain(monotonic_now(), 100 * kSecond, 100 * kSecond, kLong));
    REQUIRE(::poll(clients.data(), clients.size(), kPatienceMs) > 0);
    int told = 0, open = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (clients[i].revents != 0)
            told += all[i].take_close(Side::client) == 1012;
        else
            open += all[i].passes(Side::client, "still open");
    }
    CHECK(told >= 1);
    CHECK(open >= 50);
}

TEST_CASE("a drain that is hurried ends at once", "[pump]") {
    PumpRig rig;
    const Ends ends = rig.open();
    rig.pump.close_all(ClosePlan::drain(monotonic_now(), kLong, 0, kLong));
    CHECK(ends.echoes("still open"));
    rig.close_all(kSecond);
    CHECK(ends.take_close(Side::client) == 1012);
    CHECK(ends.take_close(Side::backend) == 1012);
    ::shutdown(ends.client.get(), SHUT_WR);
    CHECK(rig.join());
}

TEST_CASE("tunnels that come while the pump closes are closed or refused, never lost", "[pump]") {
    const std::size_t before = open_descriptors();
    for (int round = 0; round < 10; ++round) {
        PumpRig rig;
        std::atomic<std::size_t> refused{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 3; ++t) {
            threads.emplace_back([&rig, &refused] {
                for (int i = 0; i < 10; ++i) {
                    SocketTunnel made = make_socket_tunnel(rig.board);
                    refused += !rig.pump.adopt(made.tunnel);
                }
            });
        }
        rig.close_all(0);
        const bool ended = rig.join();
        for (std::thread& thread : threads)
            thread.join();
        CHECK(ended);
        CHECK(rig.board.destroyed() == 30);
        CHECK(rig.board.reports().size() == 30 - refused);
    }
    CHECK(open_descriptors() == before);
}
