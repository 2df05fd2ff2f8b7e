// The payloads of our own Pings, and which Pongs are ours.
#include "tunnel/ping.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace wsp;

namespace {

std::string text(const PingState::Payload& payload) {
    return std::string(payload.begin(), payload.end());
}

}  // namespace

TEST_CASE("A Pong with the payload of our Ping is ours and gives the round trip", "[ping]") {
    PingState ping(0x12345678);
    const std::string payload = text(ping.next(1000));
    REQUIRE(ping.is_ours(payload, 4000));
    REQUIRE(ping.round_trip() == 3000);
}

TEST_CASE("A late Pong to an earlier Ping is ours but gives no round trip", "[ping]") {
    PingState ping(7);
    const std::string first = text(ping.next(1000));
    ping.next(2000);
    REQUIRE(ping.is_ours(first, 2500));
    REQUIRE(ping.round_trip() == 0);
}

TEST_CASE("A Pong that comes twice gives one round trip", "[ping]") {
    PingState ping(7);
    const std::string payload = text(ping.next(1000));
    REQUIRE(ping.is_waiting());
    REQUIRE(ping.is_ours(payload, 1500));
    REQUIRE_FALSE(ping.is_waiting());
    REQUIRE(ping.is_ours(payload, 9000));
    REQUIRE(ping.round_trip() == 500);
}

TEST_CASE("Other Pongs belong to the endpoints", "[ping]") {
    PingState ping(7);
    const std::string ours = text(ping.next(0));
    std::string other_side = ours;
    other_side[0] = static_cast<char>(other_side[0] ^ 1);
    std::string from_the_future = ours;
    from_the_future[4] = static_cast<char>(from_the_future[4] + 1);
    for (const std::string& payload : {std::string(), std::string("x"), std::string(8, '\0'),
                                       ours + "x", ours.substr(1), other_side, from_the_future}) {
        REQUIRE_FALSE(ping.is_ours(payload, 1));
    }
}

TEST_CASE("Before the first Ping no Pong is ours", "[ping]") {
    REQUIRE_FALSE(PingState(0).is_ours(std::string(8, '\0'), 1));
}

TEST_CASE("Any byte after the Ping ends the waiting", "[ping]") {
    PingState ping(7);
    REQUIRE(ping.waiting_since(0) == kNever);
    ping.next(1000);
    REQUIRE(ping.waiting_since(900) == 1000);
    REQUIRE(ping.waiting_since(1001) == kNever);
    ping.next(2000);
    ping.forget();
    REQUIRE(ping.waiting_since(1001) == kNever);
}
