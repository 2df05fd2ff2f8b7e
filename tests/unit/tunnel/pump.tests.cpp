// A pump and its tunnels over real sockets: bytes, many tunnels, many threads, and how single tunnels end.
#include "tunnel/pump.hpp"

#include <catch2/catch.hpp>
#include <thread>

#include "support/pump_rig.hpp"
#include "support/tls_pair.hpp"

using namespace wsp;
using namespace wsp::test;

TEST_CASE("a pump passes bytes both ways and ends a tunnel that its peers end", "[pump]") {
    const bool tcp = GENERATE(false, true);
    PumpRig rig;
    const Ends ends = rig.open(tcp);
    CHECK(ends.echoes("hello"));
    CHECK(ends.echoes(std::string(5000, 'x')));
    CHECK(rig.pump.tunnels() == 1);
    CHECK(ends.close_well());
    REQUIRE(rig.board.await_destroyed(1));
    const auto reports = rig.board.reports();
    REQUIRE(reports.size() == 1);
    CHECK(reports[0].reason == EndReason::client_close);
    CHECK(reports[0].client.messages == 2);
    CHECK(reports[0].client.wire_bytes_read == reports[0].backend.wire_bytes_written);
    CHECK(await([&] { return rig.pump.tunnels() == 0; }));
}

TEST_CASE("bytes that came before the pump did are not forgotten", "[pump]") {
    PumpRig rig;
    const std::string early = frame(Side::client, kText, "with the handshake");
    const std::string waiting = frame(Side::client, kText, "in the socket");
    SocketTunnel made = make_socket_tunnel(rig.board, false, {}, early);
    send_all(made.ends.client.get(), waiting);
    const Ends ends = rig.adopt(std::move(made));
    CHECK(read_up_to(ends.backend.get(), early.size() + waiting.size()) == early + waiting);
}

TEST_CASE("many tunnels echo side by side", "[pump]") {
    PumpRig rig;
    std::vector<Ends> all;
    for (int i = 0; i < 100; ++i)
        all.push_back(rig.open(i % 2 == 0));
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < all.size(); ++i)
            CHECK(all[i].echoes("round " + std::to_string(round) + " of " + std::to_string(i)));
    }
    CHECK(rig.pump.tunnels() == 100);
}

TEST_CASE("tunnels may come from several threads at once", "[pump]") {
    PumpRig rig;
    std::vector<std::vector<Ends>> opened(4);
    std::vector<std::thread> threads;
    for (auto& mine : opened) {
        threads.emplace_back([&rig, &mine] {
            for (int i = 0; i < 30; ++i)
                mine.push_back(rig.open());
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    CHECK(rig.pump.tunnels() == 120);
    for (const auto& mine : opened) {
        for (const Ends& ends : mine)
            CHECK(ends.echoes("hello"));
    }
}

TEST_CASE("the number of tunnels is never seen below zero", "[pump]") {
    constexpr std::size_t kEach = 200;
    PumpRig rig;
    std::atomic<bool> stop{false};
    std::size_t most = 0;
    std::thread watcher([&] {
        while (!stop)
            most = std::max(most, rig.pump.tunnels());
    });
    const auto adopt_short_lives = [&rig] {
        for (std::size_t i = 0; i < kEach; ++i) {
            SocketTunnel made = make_socket_tunnel(rig.board);
            made.ends = {};  // over before it begins
            rig.adopt(std::move(made));
        }
    };
    std::thread second(adopt_short_lives);
    adopt_short_lives();
    second.join();
    CHECK(rig.board.await_destroyed(2 * kEach));
    stop = true;
    watcher.join();
    CHECK(most <= 2 * kEach);
}

TEST_CASE("when peers vanish their tunnels end, and no others", "[pump]") {
    const std::size_t before = open_descriptors();
    {
        PumpRig rig;
        const Ends stays = rig.open();
        std::vector<Ends> all;
        for (int i = 0; i < 40; ++i)
            all.push_back(rig.open(true));
        for (std::size_t i = 0; i < all.size(); ++i) {
            const bool client = i % 2 == 0;
            UniqueFd& first = client ? all[i].client : all[i].backend;
            i % 4 < 2 ? reset(first) : first.reset();
            (client ? all[i].backend : all[i].client).reset();
        }
        CHECK(rig.board.await_destroyed(40));
        CHECK(await([&] { return rig.pump.tunnels() == 1; }));
        CHECK(stays.echoes("still here"));
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("the other side learns of a connection that is reset", "[pump]") {
    PumpRig rig;
    Ends ends = rig.open(true);
    CHECK(ends.echoes("hello"));
    reset(ends.client);
    CHECK(at_end(ends.backend.get()));
    REQUIRE(rig.board.await_reports(1));
    CHECK(rig.board.reports()[0].reason == EndReason::client_lost);
    CHECK(rig.board.reports()[0].os_error == ECONNRESET);
}

TEST_CASE("the timers of many tunnels fire, each for its own", "[pump]") {
    PumpRig rig;
    Policy brief;
    brief.idle_timeout = 30 * kMillisecond;
    std::vector<Ends> idle, patient;
    for (int i = 0; i < 20; ++i) {
        brief.idle_timeout += kMillisecond;
        idle.push_back(rig.open(false, brief));
        patient.push_back(rig.open());
    }
    for (const Ends& ends : idle) {
        CHECK(ends.take_close(Side::client) == 1012);
        CHECK(ends.take_close(Side::backend) == 1012);
        ::shutdown(ends.client.get(), SHUT_WR);
    }
    CHECK(rig.board.await_reports(20));
    CHECK(rig.board.ended_by(EndReason::idle_timeout) == 20);
    for (const Ends& ends : patient)
        CHECK(ends.echoes("not me"));
}

TEST_CASE("a silent peer is cut off at the close timeout", "[pump]") {
    PumpRig rig;
    Policy policy;
    policy.close_timeout = 20 * kMillisecond;
    const Ends ends = rig.open(false, policy);
    send_all(ends.client.get(), close_frame(Side::client, 1000));
    CHECK(rig.board.await_destroyed(1));
    CHECK(rig.board.ended_by(EndReason::client_close) == 1);
    CHECK(read_to_end(ends.backend.get()) == close_frame(Side::client, 1000));
}

TEST_CASE("a pump drives TLS, whose input poll cannot always see", "[pump]") {
    TlsPair pair;
    SocketPair backend = unix_pair();
    PumpRig rig;
    TunnelParts parts;
    parts.client = pair.stream();
    parts.backend = std::make_unique<SocketStream>(std::move(backend.ours));
    Policy tiny;
    tiny.buffer_size = 16;
    parts.terms.policy = std::make_shared<const Policy>(tiny);
    parts.observer = rig.board.observer();
    auto tunnel = std::make_unique<Tunnel>(std::move(parts));

    // In one record, there before the pump is, and read in pieces of 16 bytes.
    const std::string up = frame(Side::client, kBinary, std::string(10'000, 'u'));
    pair.peer.say(up);
    REQUIRE(rig.pump.adopt(tunnel));
    CHECK(read_up_to(backend.theirs.get(), up.size()) == up);
    const std::string down = frame(Side::backend, kBinary, std::string(10'000, 'd'));
    send_all(backend.theirs.get(), down);
    CHECK(pair.peer.hear(down.size()) == down);

    pair.peer.write(close_frame(Side::client, 1000));
    pair.peer.close_notify();  // and no FIN
    CHECK(read_to_end(backend.theirs.get()) == close_frame(Side::client, 1000));
    backend.theirs.reset();
    CHECK(rig.board.await_destroyed(1));
}
