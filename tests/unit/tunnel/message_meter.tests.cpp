// The token bucket behind ProxyWebsocketMessageRate, against an invented clock.
#include "tunnel/message_meter.hpp"

#include <catch2/catch.hpp>

using namespace wsp;

namespace {

// Spends tokens until there is none; returns how many there were.
int spend_all(MessageMeter& meter, MonotonicUs now) {
    int spent = 0;
    while (meter.has_token(now)) {
        meter.spend();
        ++spent;
    }
    return spent;
}

}  // namespace

TEST_CASE("A full bucket lets exactly the burst through at once", "[meter]") {
    MessageMeter meter(10, 25, 1000);
    REQUIRE(spend_all(meter, 1000) == 25);
    REQUIRE_FALSE(meter.has_token(1000));
}

TEST_CASE("Tokens come back at the rate, one by one", "[meter]") {
    MessageMeter meter(10, 1, 0);
    REQUIRE(spend_all(meter, 0) == 1);
    REQUIRE(meter.next_token_at(0) == 100 * kMillisecond);
    REQUIRE_FALSE(meter.has_token(100 * kMillisecond - 1));
    REQUIRE(meter.has_token(100 * kMillisecond));
}

TEST_CASE("A long silence saves up no more than the burst", "[meter]") {
    MessageMeter meter(1000, 7, 0);
    REQUIRE(spend_all(meter, 3600 * kSecond) == 7);
}

TEST_CASE("Messages are never faster than the rate, however often tokens are asked for",
          "[meter]") {
    for (const DurationUs step : {DurationUs{1}, DurationUs{333}, DurationUs{9999}}) {
        MessageMeter meter(50, 1, 0);
        int spent = 0;
        for (MonotonicUs now = 0; now < 2 * kSecond; now += step) {
            spent += spend_all(meter, now);
        }
        REQUIRE(spent <= 100);
    }
}

TEST_CASE("A caller that returns at next_token_at() gets the full rate", "[meter]") {
    MessageMeter meter(3, 1, 0);
    int spent = 0;
    for (MonotonicUs now = 0; now < 10 * kSecond; now = meter.next_token_at(now)) {
        REQUIRE(spend_all(meter, now) == 1);
        ++spent;
    }
    REQUIRE((spent == 30 || spent == 31));
}

TEST_CASE("Twice the burst may be delayed", "[meter]") {
    REQUIRE(MessageMeter(5, 1000000, 0).max_delayed() == 2000000);
}
