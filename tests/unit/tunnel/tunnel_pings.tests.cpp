// The proxy's own Pings: when they are sent and where, that their Pongs stay here, and what follows when none comes.
#include <catch2/catch.hpp>

#include "support/tunnel_verdict.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

Setup pinging(bool backend_too = false) {
    Setup setup;
    setup.policy.ping_interval = 10 * kSecond;
    setup.policy.ping_deadline = 5 * kSecond;
    setup.policy.ping_backend = backend_too;
    return setup;
}

EndReason ping_timeout(Side side) {
    return side == Side::client ? EndReason::client_ping_timeout : EndReason::backend_ping_timeout;
}

}  // namespace

TEST_CASE("a silent client is pinged, and its Pongs go no further") {
    const auto story = [](Rig& rig) {
        rig.client.answer_pings();
        rig.backend.answer_pings();
        rig.client.text("hello");
        rig.pass(35 * kSecond);
        rig.backend.text("still there?");
        rig.run();
        rig.client.close(1000);
    };
    check_story(pinging(), story, [](Rig& rig) {
        CHECK(delivery_to(rig, Side::client).own_pings == 3);
        CHECK(delivery_to(rig, Side::backend).own_pings == 0);
        CHECK(rig.report.reason == EndReason::client_close);
        const std::string from_client = without_answers(rig.client.sent());
        CHECK(rig.backend.received() == from_client);
    });
}

TEST_CASE("both sides are pinged where that is asked for") {
    const auto story = [](Rig& rig) {
        rig.client.answer_pings();
        rig.backend.answer_pings();
        rig.pass(25 * kSecond);
        rig.backend.close(1000);
    };
    check_story(pinging(true), story, [](Rig& rig) {
        // One or two: a side is not pinged while it is not read, and a Ping that is held stops that.
        CHECK(delivery_to(rig, Side::client).own_pings >= 1);
        CHECK(delivery_to(rig, Side::backend).own_pings >= 1);
        CHECK(rig.report.reason == EndReason::backend_close);
    });
}

TEST_CASE("the report tells how long the client's last Pong took") {
    Rig rig(pinging());
    rig.pass(10 * kSecond);
    const auto pings = rig.client.frames();
    REQUIRE(pings.size() == 1);
    rig.pass(70 * kMillisecond);
    rig.client.send(frame(Side::client, kPong, pings[0].payload));
    rig.run();
    CHECK(rig.tunnel->report(rig.now).client_rtt == 70 * kMillisecond);
    CHECK(rig.round_trips == std::vector<DurationUs>{70 * kMillisecond});
    rig.client.send(frame(Side::client, kPong, pings[0].payload));
    rig.run();
    CHECK(rig.round_trips.size() == 1);
    CHECK(rig.backend.received().empty());
}

TEST_CASE("a side that answers no Ping has gone, and the other one is told") {
    const bool backend_too = GENERATE(false, true);
    const Side dead = backend_too ? Side::backend : Side::client;
    const auto story = [&](Rig& rig) {
        rig.peer(other(dead)).answer_pings();
        rig.pass(20 * kSecond);
    };
    check_story(pinging(backend_too), story, [&](Rig& rig) {
        CHECK(name_of(rig.report.reason) == name_of(ping_timeout(dead)));
        CHECK(rig.report.close_code == 1006);
        CHECK_FALSE(delivery_to(rig, other(dead)).has_own);
        CHECK(rig.peer(other(dead)).got_fin());
        CHECK(delivery_to(rig, dead).own_pings == 1);
    });
}

TEST_CASE("any byte is as good as a Pong") {
    Rig rig(pinging());
    rig.run();
    for (int i = 0; i < 5; ++i) {
        rig.pass(14 * kSecond);
        rig.client.send(frame(Side::client, kText, "alive").substr(0, 8));
        rig.run();
        rig.client.send(frame(Side::client, kText, "alive").substr(8));
        rig.run();
    }
    CHECK_FALSE(rig.tunnel->done());
    CHECK(rig.tunnel->report(rig.now).reason == EndReason::none);
    CHECK(rig.client.frames().size() == 5);
}

TEST_CASE("a client that talks is not pinged") {
    Rig rig(pinging());
    for (int i = 0; i < 20; ++i) {
        rig.client.text("busy");
        rig.pass(9 * kSecond);
    }
    CHECK(rig.client.received().empty());
}

TEST_CASE("Pings and Pongs of the endpoints pass whatever they say") {
    const auto story = [](Rig& rig) {
        rig.client.answer_pings();
        rig.client.send(frame(Side::client, kPong, "unasked"));
        rig.backend.send(frame(Side::backend, kPing, "from the backend"));
        rig.pass(12 * kSecond);
        rig.client.send(frame(Side::client, kPing, ""));
        rig.run();
        rig.client.close(1000);
    };
    check_story(pinging(), story, [](Rig& rig) {
        CHECK(rig.backend.received() == without_answers(rig.client.sent()));
        CHECK(delivery_to(rig, Side::client).forwarded == rig.backend.sent().size());
    });
}

TEST_CASE("a Ping waits for the end of a frame, and nobody is to blame while that goes on") {
    const std::string whole = frame(Side::backend, kBinary, std::string(100, 'x'));
    const auto story = [&](Rig& rig) {
        rig.client.answer_pings();
        rig.backend.send(whole.substr(0, 40));
        rig.pass(14 * kSecond);
        rig.backend.send(whole.substr(40, 20));
        rig.pass(4 * kSecond);
        rig.backend.send(whole.substr(60));
        rig.pass(kSecond);
        rig.backend.close(1000);
    };
    check_story(pinging(), story, [&](Rig& rig) {
        CHECK(rig.report.reason == EndReason::backend_close);
        CHECK(delivery_to(rig, Side::client).own_pings == 1);
        CHECK(rig.client.received().substr(0, whole.size()) == whole);
    });
}

TEST_CASE("a backend that dies inside a frame is the one that answers no Ping") {
    const auto story = [](Rig& rig) {
        rig.backend.stay_silent();
        rig.backend.send(frame(Side::backend, kBinary, std::string(100, 'x')).substr(0, 40));
        rig.pass(30 * kSecond);
    };
    check_story(pinging(), story, [](Rig& rig) {
        CHECK(name_of(rig.report.reason) == name_of(EndReason::backend_ping_timeout));
        CHECK(rig.client.got_fin());
        CHECK_FALSE(delivery_to(rig, Side::client).has_own);
    });
}

TEST_CASE("a Ping that waits goes in front of the Close that waits") {
    const std::string whole = frame(Side::backend, kBinary, std::string(100, 'x'));
    const auto story = [&](Rig& rig) {
        rig.client.answer_pings();
        rig.backend.send(whole.substr(0, 40));
        rig.pass(12 * kSecond);
        rig.end_by_proxy();
        rig.run();
        rig.backend.send(whole.substr(40));
    };
    check_story(pinging(), story, [&](Rig& rig) {
        const Delivery told = delivery_to(rig, Side::client);
        CHECK(told.forwarded == whole.size());
        CHECK(told.own_pings == 1);
        CHECK(told.own_close == 1012);
    });
}

TEST_CASE("no side is pinged when no Ping can be sent") {
    Setup setup = pinging(true);
    setup.raw = GENERATE(true, false);
    setup.policy.validate = Validate::off;
    Rig rig(setup);
    rig.client.send("\x89\x7E garbage");
    rig.backend.send("\x89\x7E garbage");
    rig.pass(100 * kSecond);
    CHECK(rig.tunnel->report(rig.now).reason == EndReason::none);
    CHECK(rig.client.received() == rig.backend.sent());
    CHECK(rig.backend.received() == rig.client.sent());
}

TEST_CASE("no side is pinged once the tunnel is ending") {
    Setup setup = pinging(true);
    setup.policy.close_timeout = 60 * kSecond;
    Rig rig(setup);
    rig.backend.stay_silent();
    rig.client.close(1000);
    rig.pass(59 * kSecond);
    CHECK(rig.backend.received() == rig.client.sent());
    CHECK(rig.client.received().empty());
    rig.pass(kSecond);
    CHECK(rig.tunnel->done());
    CHECK(rig.tunnel->report(rig.now).reason == EndReason::client_close);
}
