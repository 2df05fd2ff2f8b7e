// Races over loopback: who wins, what is told of the others, and what is left behind.
#include "net/connect_race.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/un.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <thread>
#include <vector>

#include "support/sockets.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

template <class SocketAddress>
ConnectAddress made_from(const SocketAddress& from) {
    ConnectAddress made{};
    std::memcpy(&made.address, &from, sizeof from);
    made.size = sizeof from;
    return made;
}

ConnectAddress v4(const char* text, int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    checked(::inet_pton(AF_INET, text, &address.sin_addr) - 1, "inet_pton");
    return made_from(address);
}

ConnectAddress v6_loopback(int port) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(static_cast<std::uint16_t>(port));
    address.sin6_addr = in6addr_loopback;
    return made_from(address);
}

const sockaddr* generic(const ConnectAddress& address) {
    return reinterpret_cast<const sockaddr*>(&address.address);
}

// A socket that is bound and does not listen: its port refuses, and is nobody else's meanwhile.
struct Refusing {
    explicit Refusing(ConnectAddress at = v4("127.0.0.1", 0))
        : address(at),
          fd(checked(::socket(at.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")) {
        checked(::bind(fd.get(), generic(at), at.size), "bind");
        checked(
            ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address.address), &address.size),
            "getsockname");
    }
    ConnectAddress address;
    UniqueFd fd;
};

struct Listening : Refusing {
    explicit Listening(ConnectAddress at = v4("127.0.0.1", 0), int backlog = 8) : Refusing(at) {
        checked(::listen(fd.get(), backlog), "listen");
    }
};

// Does not answer: its queue is full, and Linux drops what else comes (listen(2), tcp(7)
// tcp_abort_on_overflow).
struct Silent : Listening {
    Silent() : Listening(v4("127.0.0.1", 0), 0) {
        for (int i = 0; i < 3; ++i) {
            fillers.emplace_back(checked(
                ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
            ::connect(fillers.back().get(), generic(address), address.size);
        }
    }
    // From now on it answers, as soon as the kernel asks it again (after a second).
    void make_room() {
        fillers.clear();
        UniqueFd(checked(::accept(fd.get(), nullptr, nullptr), "accept"));
    }
    std::vector<UniqueFd> fillers;
};

RaceRules rules_with(DurationUs attempt_delay = 20 * kMillisecond) {
    RaceRules rules;
    rules.attempt_delay = attempt_delay;
    rules.deadline = monotonic_now() + kPatienceMs * kMillisecond;
    return rules;
}

// Time for a race to have begun, in another thread. Were it too short, a test would prove less.
constexpr auto kUnderWay = std::chrono::milliseconds(100);

// By itself: nobody and no clock has ended it.
bool has_failed(const RaceResult& result) {
    return !result.fd.valid() && !result.stopped && !result.timed_out;
}

}  // namespace

TEST_CASE("the only address is connected to") {
    const Listening there;
    const RaceResult result = race_connect({there.address}, rules_with());
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

TEST_CASE("an address that answers wins against later ones, which are not even tried") {
    const Listening first, second;
    const RaceResult result =
        race_connect({first.address, second.address}, rules_with(kMaxAttemptDelay));
    REQUIRE(result.fd.valid());
    CHECK(result.winner == 0);
    pollfd visitor{second.fd.get(), POLLIN, 0};
    CHECK(::poll(&visitor, 1, 0) == 0);
}

TEST_CASE("IPv6 that refuses gives way to IPv4, and IPv4 to IPv6") {
    try {
        const Listening probe(v6_loopback(0));
    } catch (const std::runtime_error& problem) {
        WARN("skipped: no IPv6 on loopback here: " << problem.what());
        return;
    }
    const bool six_refuses = GENERATE(true, false);
    const Refusing refusing(six_refuses ? v6_loopback(0) : v4("127.0.0.1", 0));
    const Listening there(six_refuses ? v4("127.0.0.1", 0) : v6_loopback(0));
    const RaceResult result = race_connect({refusing.address, there.address}, rules_with());
    REQUIRE(result.fd.valid());
    CHECK(result.winner == 1);
    REQUIRE(result.faults.size() == 1);
    CHECK(result.faults[0].index == 0);
    CHECK(result.faults[0].error == ECONNREFUSED);
}

TEST_CASE("addresses that refuse are passed over at once") {
    const Refusing refusing;
    const Listening there;
    std::vector<ConnectAddress> addresses(20, refusing.address);
    addresses.push_back(there.address);
    // With a delay after each the deadline would come first.
    const RaceResult result = race_connect(addresses, rules_with(kMaxAttemptDelay));
    REQUIRE(result.fd.valid());
    CHECK(result.winner == 20);
    REQUIRE(result.faults.size() == 20);
    for (std::size_t i = 0; i < 20; ++i) {
        CHECK(result.faults[i].index == i);
        CHECK(result.faults[i].error == ECONNREFUSED);
    }
}

TEST_CASE("an address that does not answer is overtaken, and its socket is closed") {
    const Silent silent, silent_too;
    const Listening there;
    const std::size_t before = open_descriptors();
    {
        const RaceResult result =
            race_connect({silent.address, silent_too.address, there.address}, rules_with());
        REQUIRE(result.fd.valid());
        CHECK(result.winner == 2);
        CHECK(result.faults.empty());
        CHECK(open_descriptors() == before + 1);
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("an address that answers late wins after others have failed, at once and late") {
    const Refusing refusing;
    Silent closing, opening;
    const std::size_t before = open_descriptors();
    std::thread changes([&] {
        std::this_thread::sleep_for(kUnderWay);
        closing.fd.reset();
        opening.make_room();
    });
    const RaceResult result =
        race_connect({refusing.address, closing.address, opening.address}, rules_with());
    changes.join();
    REQUIRE(result.fd.valid());
    CHECK(result.winner == 2);
    CHECK_FALSE(result.faults.empty());
    for (std::size_t i = 0; i < result.faults.size(); ++i) {
        CHECK(result.faults[i].index == i);  // closing may have come second to the winner
    }
    CHECK(open_descriptors() == before + 1 - 4);  // without closing's own and opening's fillers
}

TEST_CASE("an address that refuses late is reported like one that refuses at once") {
    Silent late;
    const std::size_t before = open_descriptors();
    std::thread closer([&] {
        std::this_thread::sleep_for(kUnderWay);
        late.fd.reset();
    });
    const RaceResult result = race_connect({late.address}, rules_with());
    closer.join();
    CHECK(has_failed(result));
    REQUIRE(result.faults.size() == 1);
    CHECK(result.faults[0].error == ECONNREFUSED);
    CHECK(open_descriptors() == before - 1);  // without late's own
}

TEST_CASE("when all addresses fail, each is reported with its error") {
    const Refusing refusing;
    ConnectAddress unknown = refusing.address;
    unknown.address.ss_family = AF_UNSPEC;
    const std::size_t before = open_descriptors();
    const RaceResult result = race_connect({refusing.address, unknown}, rules_with());
    CHECK(has_failed(result));
    REQUIRE(result.faults.size() == 2);
    CHECK(result.faults[0].error == ECONNREFUSED);
    CHECK(result.faults[1].index == 1);
    CHECK(result.faults[1].error == EAFNOSUPPORT);
    CHECK(open_descriptors() == before);
}

TEST_CASE("without an address there is no connection") {
    const RaceResult result = race_connect({}, rules_with());
    CHECK(has_failed(result));
    CHECK(result.faults.empty());
}

TEST_CASE("a race ends at its deadline, with what has failed until then") {
    const Silent silent;
    const Refusing refusing;
    RaceRules rules = rules_with();
    rules.deadline = monotonic_now() + 100 * kMillisecond;
    const std::size_t before = open_descriptors();
    const RaceResult result = race_connect({refusing.address, silent.address}, rules);
    CHECK_FALSE(result.fd.valid());
    CHECK(result.timed_out);
    CHECK_FALSE(result.stopped);
    CHECK(result.faults.size() <= 1);  // a slow machine may not even have come so far
    CHECK(monotonic_now() >= rules.deadline);
    CHECK(open_descriptors() == before);
}

TEST_CASE("after its deadline a race does not begin") {
    const Listening there;
    RaceRules rules = rules_with();
    rules.deadline = monotonic_now();
    const RaceResult result = race_connect({there.address}, rules);
    CHECK_FALSE(result.fd.valid());
    CHECK(result.timed_out);
    pollfd visitor{there.fd.get(), POLLIN, 0};
    CHECK(::poll(&visitor, 1, 0) == 0);
}

TEST_CASE("a race can be stopped, before it waits and while it waits") {
    const auto when = GENERATE(std::chrono::milliseconds(0), kUnderWay);
    const Silent silent;
    SocketPair stop = unix_pair();
    RaceRules rules = rules_with();
    rules.deadline = kNever;
    rules.stop_fd = stop.ours.get();
    const std::size_t before = open_descriptors();
    std::thread stopper([&] {
        std::this_thread::sleep_for(when);
        send_all(stop.theirs.get(), "x");
    });
    const RaceResult result = race_connect({silent.address}, rules);
    stopper.join();
    CHECK_FALSE(result.fd.valid());
    CHECK(result.stopped);
    CHECK_FALSE(result.timed_out);
    CHECK(open_descriptors() == before);
}

TEST_CASE("a socket is prepared before it connects, and that may skip the address") {
    const Listening there;
    const Refusing unused;
    std::vector<ConnectAddress> seen;
    RaceRules rules = rules_with();
    rules.context = &seen;
    rules.prepare = [](int fd, const ConnectAddress& to, void* context) {
        sockaddr_storage peer;
        socklen_t size = sizeof peer;
        CHECK(::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0);
        auto& all = *static_cast<std::vector<ConnectAddress>*>(context);
        all.push_back(to);
        errno = EADDRNOTAVAIL;
        return all.size() > 1;
    };
    const std::size_t before = open_descriptors();
    const RaceResult result = race_connect({unused.address, there.address}, rules);
    REQUIRE(result.fd.valid());
    REQUIRE(seen.size() == 2);
    CHECK(std::memcmp(&seen[0].address, &unused.address.address, unused.address.size) == 0);
    CHECK(std::memcmp(&seen[1].address, &there.address.address, there.address.size) == 0);
    REQUIRE(result.faults.size() == 1);
    CHECK(result.faults[0].error == EADDRNOTAVAIL);
    CHECK(open_descriptors() == before + 1);
}

TEST_CASE("a system that refuses to wait ends a race, and none of its addresses is left out") {
    const Silent silent;
    rlimit usual;
    checked(::getrlimit(RLIMIT_NOFILE, &usual), "getrlimit");
    RaceRules rules = rules_with();
    rules.context = &usual;
    rules.prepare = [](int, const ConnectAddress&, void* context) {
        rlimit tight = *static_cast<rlimit*>(context);
        tight.rlim_cur = 1;  // poll(2): EINVAL for more; socket(2): EMFILE
        return ::setrlimit(RLIMIT_NOFILE, &tight) == 0;
    };
    const RaceResult result = race_connect({silent.address, silent.address}, rules);
    checked(::setrlimit(RLIMIT_NOFILE, &usual), "setrlimit");
    CHECK(has_failed(result));
    REQUIRE(result.faults.size() == 2);
    CHECK(result.faults[0].error == EINVAL);
    CHECK(result.faults[1].error == EMFILE);
}

TEST_CASE("a Unix socket is an address like any other") {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;  // an abstract name: leaves no file
    const std::string text = "wsp connect race " + std::to_string(::getpid());
    std::memcpy(name.sun_path + 1, text.data(), text.size());
    const ConnectAddress address = made_from(name);
    const RaceResult nobody = race_connect({address}, rules_with());
    CHECK(has_failed(nobody));
    REQUIRE(nobody.faults.size() == 1);
    CHECK(nobody.faults[0].error == ECONNREFUSED);

    const Listening there(address, 0);
    const RaceResult result = race_connect({address}, rules_with());
    REQUIRE(result.fd.valid());
    const RaceResult crowded = race_connect({address}, rules_with());
    CHECK(has_failed(crowded));
    REQUIRE(crowded.faults.size() == 1);
    CHECK(crowded.faults[0].error == EAGAIN);
}
