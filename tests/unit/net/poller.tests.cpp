// The poller, whichever this build has.
#include "net/poller.hpp"

#include <sys/eventfd.h>

#include <catch2/catch.hpp>
#include <map>
#include <vector>

#include "support/sockets.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

constexpr DurationUs kPatience = kPatienceMs * kMillisecond;

// What one wait says, by cookie.
std::map<std::uintptr_t, Interest> seen(Poller& poller, DurationUs timeout) {
    std::map<std::uintptr_t, Interest> by_cookie;
    for (const Poller::Event& event : poller.wait(timeout)) {
        CHECK(by_cookie.emplace(event.cookie, event.ready).second);
    }
    return by_cookie;
}

using Seen = std::map<std::uintptr_t, Interest>;

}  // namespace

TEST_CASE("a poller that watches nothing sees nothing", "[poller]") {
    Poller poller;
    REQUIRE(poller.valid());
    CHECK(poller.wait(0).empty());
    CHECK(poller.wait(kMillisecond).empty());
}

TEST_CASE("a poller reports what it watches for, as long as that is the case", "[poller]") {
    Poller poller;
    const SocketPair pair = unix_pair();
    REQUIRE(poller.watch(pair.ours.get(), kNoInterest, kReadable, 7));
    CHECK(seen(poller, 0).empty());
    send_all(pair.theirs.get(), "x");
    CHECK(seen(poller, kNever) == Seen{{7, kReadable}});
    CHECK(seen(poller, kPatience) == Seen{{7, kReadable}});  // level-triggered

    REQUIRE(poller.watch(pair.ours.get(), kReadable, kReadable | kWritable, 7));
    CHECK(seen(poller, kPatience) == Seen{{7, kReadable | kWritable}});
    REQUIRE(poller.watch(pair.ours.get(), kReadable | kWritable, kWritable, 7));
    CHECK(seen(poller, kPatience) == Seen{{7, kWritable}});
    CHECK(read_up_to(pair.ours.get(), 1) == "x");
    REQUIRE(poller.watch(pair.ours.get(), kWritable, kReadable, 7));
    CHECK(seen(poller, 0).empty());
}

TEST_CASE("a socket that takes nothing is not writable until it does", "[poller]") {
    Poller poller;
    const SocketPair pair = unix_pair();
    std::size_t sent = 0;
    const std::string chunk(4096, 'x');
    for (ssize_t n = 0;
         (n = ::send(pair.ours.get(), chunk.data(), chunk.size(), MSG_DONTWAIT)) > 0;)
        sent += static_cast<std::size_t>(n);
    REQUIRE(poller.watch(pair.ours.get(), kNoInterest, kWritable, 1));
    CHECK(seen(poller, 0).empty());
    read_up_to(pair.theirs.get(), sent);
    CHECK(seen(poller, kPatience) == Seen{{1, kWritable}});
}

TEST_CASE("a hang-up is reported as readable and writable, whatever is watched for", "[poller]") {
    const Interest asked = GENERATE(kReadable, kWritable);
    Poller poller;
    SocketPair pair = unix_pair();
    REQUIRE(poller.watch(pair.ours.get(), kNoInterest, asked, 1));
    pair.theirs.reset();
    CHECK(seen(poller, kPatience) == Seen{{1, kReadable | kWritable}});
}

TEST_CASE("a reset connection is reported as readable and writable", "[poller]") {
    Poller poller;
    SocketPair pair = tcp_pair();
    REQUIRE(poller.watch(pair.ours.get(), kNoInterest, kReadable, 1));
    reset(pair.theirs);
    CHECK(seen(poller, kPatience) == Seen{{1, kReadable | kWritable}});
}

TEST_CASE("a descriptor without interest is not reported, not even its hang-up", "[poller]") {
    Poller poller;
    SocketPair pair = unix_pair();
    REQUIRE(poller.watch(pair.ours.get(), kNoInterest, kReadable | kWritable, 1));
    REQUIRE(poller.watch(pair.ours.get(), kReadable | kWritable, kNoInterest, 1));
    pair.theirs.reset();
    CHECK(seen(poller, 0).empty());
    REQUIRE(poller.watch(pair.ours.get(), kNoInterest, kReadable, 2));
    CHECK(seen(poller, kPatience) == Seen{{2, kReadable | kWritable}});
}

TEST_CASE("a peer's FIN shows as input", "[poller]") {
    Poller poller;
    const SocketPair pair = tcp_pair();
    REQUIRE(poller.watch(pair.ours.get(), kNoInterest, kReadable, 1));
    ::shutdown(pair.theirs.get(), SHUT_WR);
    CHECK(seen(poller, kPatience) == Seen{{1, kReadable}});
}

TEST_CASE("a wait lasts as long as it was asked to when nothing happens", "[poller]") {
    Poller poller;
    const SocketPair pair = unix_pair();
    REQUIRE(poller.watch(pair.ours.get(), kNoInterest, kReadable, 1));
    const MonotonicUs before = monotonic_now();
    CHECK(poller.wait(20 * kMillisecond + 1).empty());
    CHECK(monotonic_now() - before > 20 * kMillisecond);
    CHECK(poller.wait(-5).empty());  // a moment that has passed already
}

TEST_CASE("a poller watches many descriptors and forgets those that it is told to", "[poller]") {
    Poller poller;
    std::vector<SocketPair> pairs;
    for (std::uintptr_t i = 0; i < 400; ++i) {
        pairs.push_back(unix_pair());
        REQUIRE(poller.watch(pairs.back().ours.get(), kNoInterest, kReadable, i));
    }
    // Every third is forgotten, every other third has something to say.
    Seen expected;
    for (std::uintptr_t i = 0; i < pairs.size(); ++i) {
        if (i % 3 == 0)
            REQUIRE(poller.watch(pairs[i].ours.get(), kReadable, kNoInterest, i));
        if (i % 3 != 1)
            send_all(pairs[i].theirs.get(), "x");
        if (i % 3 == 2)
            expected[i] = kReadable;
    }
    Seen all;
    for (int round = 0; round < 10 && all.size() < expected.size(); ++round) {
        const Seen some = seen(poller, kPatience);
        all.insert(some.begin(), some.end());
        for (const auto& [cookie, ready] : some)
            read_up_to(pairs[cookie].ours.get(), 1);
    }
    CHECK(all == expected);
    CHECK(seen(poller, 0).empty());
}

TEST_CASE("a poller keeps no descriptor of its own open", "[poller]") {
    const std::size_t before = open_descriptors();
    {
        const Poller poller;
        CHECK(open_descriptors() <= before + 1);
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE(
    "all pollers hear of each write to a descriptor whose edges they watch, or refuse to watch it",
    "[poller]") {
    const UniqueFd written(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const std::uint64_t one = 1;
    Poller first, second;
    if (!first.watch_edges(written.get(), 7)) {
        CHECK(first.wait(0).empty());  // poll(2)
        return;
    }
    REQUIRE(second.watch_edges(written.get(), 8));
    for (int i = 0; i < 3; ++i) {
        REQUIRE(::write(written.get(), &one, sizeof one) == sizeof one);
        CHECK(first.wait(kSecond).size() == 1);
        CHECK(first.wait(0).empty());  // though nobody reads it
        const auto& heard = second.wait(kSecond);
        REQUIRE(heard.size() == 1);
        CHECK(heard[0].cookie == 8);
    }
    Poller late;
    REQUIRE(late.watch_edges(written.get(), 9));
    CHECK(late.wait(0).size() == 1);  // there were writes before
}
