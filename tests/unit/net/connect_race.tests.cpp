// RFC 8305's order and timing, and races over loopback.
#include "net/connect_race.hpp"

#include <fcntl.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <thread>
#include <vector>

#include "support/sockets.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

ConnectAddress v4(const char* text, int port) {
    ConnectAddress made{};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    checked(::inet_pton(AF_INET, text, &address.sin_addr) - 1, "inet_pton");
    std::memcpy(&made.address, &address, sizeof address);
    made.size = sizeof address;
    return made;
}

ConnectAddress v6(const char* text, int port) {
    ConnectAddress made{};
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(static_cast<std::uint16_t>(port));
    checked(::inet_pton(AF_INET6, text, &address.sin6_addr) - 1, "inet_pton");
    std::memcpy(&made.address, &address, sizeof address);
    made.size = sizeof address;
    return made;
}

// A listening socket on 127.0.0.1.
struct Listening {
    explicit Listening(int backlog = 8)
        : fd(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")) {
        ConnectAddress any = v4("127.0.0.1", 0);
        checked(::bind(fd.get(), reinterpret_cast<sockaddr*>(&any.address), any.size), "bind");
        checked(::listen(fd.get(), backlog), "listen");
        sockaddr_in address{};
        socklen_t size = sizeof address;
        checked(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size),
                "getsockname");
        port = ntohs(address.sin_port);
    }
    ConnectAddress address() const { return v4("127.0.0.1", port); }

    UniqueFd fd;
    int port = 0;
};

// Does not answer: its queue is full, and Linux drops what else comes (tcp(7) listen backlog).
struct Silent {
    Silent() : listening(0) {
        for (int i = 0; i < 3; ++i) {
            UniqueFd filler(checked(
                ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
            const ConnectAddress to = listening.address();
            ::connect(filler.get(), reinterpret_cast<const sockaddr*>(&to.address), to.size);
            fillers.push_back(std::move(filler));
        }
    }
    Listening listening;
    std::vector<UniqueFd> fillers;
};

int refused_port() {
    return Listening().port;  // closed again
}

RaceRules rules_with(DurationUs attempt_delay = 20 * kMillisecond) {
    RaceRules rules;
    rules.attempt_delay = attempt_delay;
    rules.deadline = monotonic_now() + kPatienceMs * kMillisecond;
    return rules;
}

}  // namespace

TEST_CASE("the families take turns, beginning with the resolver's first") {
    const std::vector<ConnectAddress> addresses = {v6("::1", 1), v6("::2", 1), v6("::3", 1),
                                                   v4("127.0.0.1", 1), v4("127.0.0.2", 1)};
    CHECK(race_order(addresses, nullptr) == std::vector<std::size_t>{0, 3, 1, 4, 2});
    CHECK(race_order({addresses[3], addresses[0], addresses[1]}, nullptr) ==
          std::vector<std::size_t>{0, 1, 2});
    CHECK(race_order({addresses[3], addresses[4], addresses[0]}, nullptr) ==
          std::vector<std::size_t>{0, 2, 1});
    CHECK(race_order({}, nullptr).empty());
}

TEST_CASE("the address that was good comes first, whole and with its port") {
    const std::vector<ConnectAddress> addresses = {v6("::1", 1), v4("127.0.0.1", 1),
                                                   v4("127.0.0.1", 2)};
    CHECK(race_order(addresses, &addresses[2]) == std::vector<std::size_t>{2, 0, 1});
    const ConnectAddress elsewhere = v4("127.0.0.9", 1);
    CHECK(race_order(addresses, &elsewhere) == std::vector<std::size_t>{0, 1, 2});
}

TEST_CASE("an attempt begins when the one before has had its delay, or has failed") {
    RacePlan plan(3, 250 * kMillisecond);
    CHECK(plan.is_due(0));
    CHECK(plan.begin(0) == 0);
    CHECK_FALSE(plan.is_due(250 * kMillisecond - 1));
    CHECK(plan.next_at() == 250 * kMillisecond);
    CHECK(plan.is_due(250 * kMillisecond));
    CHECK(plan.begin(250 * kMillisecond) == 1);
    plan.on_failed(260 * kMillisecond);
    CHECK(plan.is_due(260 * kMillisecond));
    CHECK(plan.begin(260 * kMillisecond) == 2);
    CHECK_FALSE(plan.is_due(kNever - 1));
    CHECK(plan.next_at() == kNever);
}

TEST_CASE("the only address is connected to") {
    const Listening there;
    const RaceResult result = race_connect({there.address()}, rules_with());
    REQUIRE(result.fd.valid());
    CHECK(result.winner == 0);
    CHECK(result.faults.empty());
    UniqueFd accepted(checked(::accept(there.fd.get(), nullptr, nullptr), "accept"));
    CHECK(::send(result.fd.get(), "x", 1, 0) == 1);
    char byte = 0;
    CHECK(::recv(accepted.get(), &byte, 1, 0) == 1);
    CHECK((::fcntl(result.fd.get(), F_GETFL) & O_NONBLOCK) != 0);
    CHECK((::fcntl(result.fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("an address that refuses is passed over at once") {
    const Listening there;
    const std::vector<ConnectAddress> addresses = {v4("127.0.0.1", refused_port()),
                                                   there.address()};
    RaceRules rules = rules_with(3600 * kSecond);  // nobody would wait for that
    const RaceResult result = race_connect(addresses, rules);
    REQUIRE(result.fd.valid());
    CHECK(result.winner == 1);
    REQUIRE(result.faults.size() == 1);
    CHECK(result.faults[0].index == 0);
    CHECK(result.faults[0].error == ECONNREFUSED);
}

TEST_CASE("an address that does not answer is overtaken") {
    const Silent silent;
    const Listening there;
    const std::size_t before = open_descriptors();
    {
        const RaceResult result =
            race_connect({silent.listening.address(), there.address()}, rules_with());
        REQUIRE(result.fd.valid());
        CHECK(result.winner == 1);
        CHECK(result.faults.empty());
        CHECK(open_descriptors() == before + 1);  // the loser's is closed
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("when all fail, all are told of") {
    const int port = refused_port();
    const std::size_t before = open_descriptors();
    const RaceResult result =
        race_connect({v4("127.0.0.1", port), v4("127.0.0.2", port)}, rules_with());
    CHECK_FALSE(result.fd.valid());
    CHECK_FALSE(result.timed_out);
    CHECK(result.faults.size() == 2);
    CHECK(open_descriptors() == before);
}

TEST_CASE("no address is no connection") {
    const RaceResult result = race_connect({}, rules_with());
    CHECK_FALSE(result.fd.valid());
    CHECK_FALSE(result.timed_out);
}

TEST_CASE("a race ends at its deadline") {
    const Silent silent;
    RaceRules rules = rules_with();
    rules.deadline = monotonic_now() + 50 * kMillisecond;
    const RaceResult result = race_connect({silent.listening.address()}, rules);
    CHECK_FALSE(result.fd.valid());
    CHECK(result.timed_out);
    CHECK(monotonic_now() >= rules.deadline);
}

TEST_CASE("a race can be called off") {
    const Silent silent;
    const SocketPair stop = unix_pair();
    checked(static_cast<int>(::send(stop.theirs.get(), "x", 1, 0)), "send");
    RaceRules rules = rules_with();
    rules.stop_fd = stop.ours.get();
    const RaceResult result = race_connect({silent.listening.address()}, rules);
    CHECK_FALSE(result.fd.valid());
    CHECK(result.stopped);
}

TEST_CASE("a socket is prepared before it connects, and may be given up there") {
    const Listening there;
    std::vector<int> ports;
    RaceRules rules = rules_with();
    rules.context = &ports;
    rules.prepare = [](int fd, const ConnectAddress& to, void* context) {
        auto& seen = *static_cast<std::vector<int>*>(context);
        seen.push_back(ntohs(reinterpret_cast<const sockaddr_in*>(&to.address)->sin_port));
        errno = EADDRNOTAVAIL;
        return fd >= 0 && seen.size() > 1;
    };
    const RaceResult result = race_connect({v4("127.0.0.1", 1), there.address()}, rules);
    REQUIRE(result.fd.valid());
    CHECK(ports == std::vector<int>{1, there.port});
    REQUIRE(result.faults.size() == 1);
    CHECK(result.faults[0].error == EADDRNOTAVAIL);
}
