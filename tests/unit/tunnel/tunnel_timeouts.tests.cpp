// A tunnel and time, which is invented here: the idle, close and send timeouts, and what puts them
// off.
#include <catch2/catch.hpp>

#include "support/tunnel_verdict.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

constexpr MonotonicUs kStart = 1'000'000'000;

Setup timed(DurationUs idle, DurationUs close = 2 * kSecond, DurationUs send = 60 * kSecond) {
    Setup setup;
    setup.policy.idle_timeout = idle;
    setup.policy.close_timeout = close;
    setup.policy.send_timeout = send;
    return setup;
}

EndReason stalled(Side side) {
    return side == Side::client ? EndReason::client_stalled : EndReason::backend_stalled;
}

}  // namespace

TEST_CASE("a tunnel without a byte either way ends at its idle timeout") {
    const auto story = [](Rig& rig) {
        rig.client.text("hello");
        rig.pass(30 * kSecond);
    };
    check_story(timed(10 * kSecond), story, [](Rig& rig) {
        CHECK(rig.report.reason == EndReason::idle_timeout);
        CHECK(rig.report.duration == 30 * kSecond);
        CHECK(delivery_to(rig, Side::client).own_close == 1012);
        CHECK(delivery_to(rig, Side::backend).own_close == 1012);
    });
}

TEST_CASE("the idle timeout counts from the last byte of either side") {
    const Side talker = GENERATE(Side::client, Side::backend);
    Rig rig(timed(10 * kSecond));
    rig.run();
    for (int i = 0; i < 5; ++i) {
        rig.pass(9 * kSecond);
        rig.peer(talker).send(frame(talker, kPing));
        rig.run();
        CHECK(rig.tunnel->deadline() == rig.now + 10 * kSecond);
    }
    CHECK(rig.tunnel->report(rig.now).reason == EndReason::none);
    rig.pass(10 * kSecond - 1);
    CHECK(rig.tunnel->report(rig.now).reason == EndReason::none);
    rig.pass(1);
    CHECK(rig.tunnel->done());
}

TEST_CASE("a timer that comes too early does no harm") {
    Rig rig(timed(10 * kSecond));
    rig.run();
    rig.now += 9 * kSecond;
    rig.tunnel->on_timer(rig.now);
    CHECK(rig.tunnel->report(rig.now).reason == EndReason::none);
    CHECK(rig.client.received().empty());
}

TEST_CASE("bytes that a slow reader takes keep a tunnel from being idle") {
    const Side slow = GENERATE(Side::client, Side::backend);
    Rig rig(timed(10 * kSecond));
    const std::string held = frame(other(slow), kText, std::string(100, 'x'));
    rig.peer(slow).stop_reading();
    rig.peer(other(slow)).send(held);
    rig.run();
    for (int i = 0; i < 10; ++i) {
        rig.pass(6 * kSecond);
        REQUIRE(rig.tunnel->report(rig.now).reason == EndReason::none);
        rig.peer(slow).read(5);
        rig.run();
    }
    rig.peer(slow).read_all();
    rig.finish();
    CHECK(judge(rig) == "");
    CHECK(delivery_to(rig, slow).forwarded == held.size());
}

TEST_CASE("without an idle timeout nothing is timed while the tunnel is open") {
    Rig rig(timed(0));
    rig.client.text("hello");
    rig.pass(1000 * kSecond);
    CHECK(rig.tunnel->deadline() == kNever);
    CHECK_FALSE(rig.tunnel->done());
}

TEST_CASE("a Close that nobody answers is waited for until the close timeout") {
    const Side first = GENERATE(Side::client, Side::backend);
    const auto story = [&](Rig& rig) {
        rig.client.stay_silent();
        rig.backend.stay_silent();
        rig.peer(first).close(1000);
        rig.pass(2 * kSecond - 1);
        rig.require(!rig.tunnel->done() || rig.client.script().broken ||
                        rig.backend.script().broken || rig.client.got_fin() ||
                        rig.backend.got_fin(),
                    "too early");
        rig.pass(1);
    };
    check_story(timed(0), story, [&](Rig& rig) {
        CHECK(rig.now == kStart + 2 * kSecond);
        CHECK(rig.report.close_code == 1000);
        CHECK(rig.peer(other(first)).received() == rig.peer(first).sent());
    });
}

TEST_CASE("a backend that never ends TCP does not keep the tunnel beyond the close timeout") {
    Rig rig(timed(0, 3 * kSecond));
    rig.backend.stay_silent();
    rig.client.close(1000);
    rig.run();
    rig.backend.close(1000);
    rig.run();
    CHECK_FALSE(rig.tunnel->done());
    CHECK(rig.tunnel->deadline() == kStart + 3 * kSecond);
    rig.finish();
    CHECK(judge(rig) == "");
    CHECK(rig.report.duration == 3 * kSecond);
}

TEST_CASE("bytes that still flow put the close timeout off") {
    Rig rig(timed(0));
    rig.backend.stay_silent();
    rig.client.close(1000);
    for (int i = 0; i < 10; ++i) {
        rig.pass(kSecond);
        rig.backend.text("the rest of the answer");
    }
    rig.run();
    CHECK_FALSE(rig.tunnel->done());
    rig.backend.close(1000);
    rig.backend.end();
    rig.finish();
    CHECK(judge(rig) == "");
    expect_all_delivered(rig);
}

TEST_CASE("what is held when the Close comes reaches a slow reader, however long it takes") {
    const Side slow = GENERATE(Side::client, Side::backend);
    Rig rig(timed(0));
    rig.peer(slow).stop_reading();
    rig.peer(other(slow)).text(std::string(100, 'x'));
    rig.peer(other(slow)).close(1000);
    rig.run();
    for (int i = 0; i < 20; ++i) {
        rig.pass(kSecond);
        REQUIRE_FALSE(rig.tunnel->done());
        rig.peer(slow).read(5);
        rig.run();
    }
    rig.peer(slow).read_all();
    rig.finish();
    CHECK(judge(rig) == "");
    expect_all_delivered(rig);
}

TEST_CASE("a flood to a side that has broken does not put the close timeout off") {
    const Side broken = GENERATE(Side::client, Side::backend);
    Rig rig(timed(0));
    rig.peer(other(broken)).stay_silent();
    rig.peer(broken).reset();
    for (int i = 0; i < 30; ++i) {
        rig.peer(other(broken)).text("on and on");
        rig.pass(kSecond / 10);
    }
    CHECK(rig.tunnel->done());
    expect_told_of_end(rig, broken);
}

TEST_CASE("a flood after the closing handshake does not put the close timeout off") {
    Rig rig(timed(0));
    rig.backend.stay_silent();
    rig.client.close(1000);
    rig.run();
    rig.backend.close(1000);
    for (int i = 0; i < 30; ++i) {
        rig.pass(kSecond / 10);
        rig.backend.text("on and on");
    }
    CHECK(rig.tunnel->done());
}

TEST_CASE(
    "the reply to our Close is not waited for longer than the close timeout, whatever still "
    "flows") {
    const Side talker = GENERATE(Side::client, Side::backend);
    Rig rig(timed(0));
    rig.client.stay_silent();
    rig.backend.stay_silent();
    rig.end_by_proxy();
    for (int i = 0; i < 30; ++i) {
        rig.peer(talker).text("on and on");
        rig.pass(kSecond / 10);
    }
    CHECK(rig.tunnel->done());
}

TEST_CASE("a sink that takes nothing is lost at the send timeout") {
    const Side slow = GENERATE(Side::client, Side::backend);
    const auto story = [&](Rig& rig) {
        rig.peer(slow).text("the other way is open");
        rig.peer(slow).stop_reading();
        rig.peer(other(slow)).text("held");
        rig.pass(60 * kSecond);
    };
    check_story(timed(0), story, [&](Rig& rig) {
        CHECK(name_of(rig.report.reason) == name_of(stalled(slow)));
        CHECK(rig.report.close_code == 1006);
        CHECK(rig.peer(other(slow)).got_fin());
        expect_told_of_end(rig, slow);
        CHECK(rig.report.duration >= 60 * kSecond);
    });
}

TEST_CASE("a sink that takes a little now and then is not lost") {
    const Side slow = GENERATE(Side::client, Side::backend);
    Rig rig(timed(0, 2 * kSecond, 10 * kSecond));
    rig.peer(slow).stop_reading();
    rig.peer(other(slow)).text(std::string(50, 'x'));
    rig.run();
    for (int i = 0; i < 20; ++i) {
        rig.pass(9 * kSecond);
        rig.peer(slow).read(1);
        rig.run();
    }
    CHECK_FALSE(rig.tunnel->done());
    rig.pass(10 * kSecond);
    rig.finish();
    CHECK(judge(rig) == "");
    CHECK(name_of(rig.report.reason) == name_of(stalled(slow)));
}

TEST_CASE("without a send timeout a sink may take as long as it likes") {
    Rig rig(timed(0, 2 * kSecond, 0));
    rig.client.stop_reading();
    rig.backend.text("held");
    rig.pass(100'000 * kSecond);
    CHECK(rig.tunnel->deadline() == kNever);
    rig.client.read_all();
    rig.run();
    expect_all_delivered(rig);
}

TEST_CASE("sinks that take nothing on both sides end the tunnel") {
    const auto story = [](Rig& rig) {
        rig.client.stop_reading();
        rig.backend.stop_reading();
        rig.client.text("held");
        rig.run();
        rig.backend.text("held");
        rig.run();
    };
    check_story(timed(0), story, [](Rig& rig) {
        CHECK(closed_by(rig.report.reason) == "error");
        CHECK(rig.now <= kStart + 63 * kSecond);
    });
}

TEST_CASE("the timers find peers that have gone silently") {
    const auto story = [](Rig& rig) {
        rig.client.stay_silent();
        rig.backend.stay_silent();
        rig.client.stop_reading();
        rig.backend.stop_reading();
        rig.client.text("the last that was heard");
    };
    check_story(timed(10 * kSecond), story, [](Rig& rig) {
        CHECK(rig.report.reason == EndReason::idle_timeout);
        CHECK(rig.now <= kStart + 12 * kSecond);
    });
}
