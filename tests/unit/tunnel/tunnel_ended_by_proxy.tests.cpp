// end(): the proxy's own wish. A Close to each side at the next frame boundary, nothing behind it,
// then TCP.
#include <catch2/catch.hpp>

#include "support/tunnel_verdict.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

void expect_own_closes(const Rig& rig, unsigned code) {
    for (Side side : {Side::client, Side::backend}) {
        CAPTURE(to_string(side));
        CHECK(delivery_to(rig, side).own_close == code);
        const SeenFrame last = rig.peer(side).frames().back();
        CHECK(last.masked == (side == Side::backend));  // RFC 6455 5.1: only clients mask
        CHECK(last.payload.substr(2) == close_reason_of(EndReason::drain));
    }
}

}  // namespace

TEST_CASE("an idle tunnel that the proxy ends says Close to both sides") {
    const unsigned code = GENERATE(1001, 1012);
    Setup setup;
    setup.policy.close_code_drain = static_cast<std::uint16_t>(code);
    const auto story = [&](Rig& rig) {
        rig.client.text("hello");
        rig.backend.text("welcome");
        rig.run();
        rig.end_by_proxy();
    };
    check_story(setup, story, [&](Rig& rig) {
        expect_own_closes(rig, code);
        CHECK(rig.report.reason == EndReason::drain);
        CHECK(rig.report.close_code == code);
        CHECK(rig.report.close_reason.text() == close_reason_of(EndReason::drain));
        CHECK(rig.client.got_fin());
        CHECK(rig.backend.got_fin());
        CHECK(rig.now == 1'000'000'000);  // both have answered
    });
}

TEST_CASE("the order of FINs is the same when the proxy ends the tunnel") {
    Rig rig;
    rig.client.stay_silent();
    rig.backend.stay_silent();
    rig.run();
    rig.end_by_proxy();
    rig.run();
    CHECK_FALSE(rig.client.got_fin());
    rig.client.close(1001);
    rig.run();
    CHECK(rig.client.got_fin());
    rig.client.end();
    rig.backend.close(1001);
    rig.run();
    CHECK_FALSE(rig.backend.got_fin());
    rig.backend.end();
    rig.run();
    CHECK(rig.backend.got_fin());
    CHECK(rig.tunnel->done());
}

TEST_CASE("in the middle of a frame the proxy's Close waits for the frame's end") {
    const Side busy = GENERATE(Side::client, Side::backend);
    const std::string whole = frame(busy, kBinary, std::string(130, 'x'));
    const std::size_t cut = GENERATE(8, 9, 50, 133);
    const auto story = [&](Rig& rig) {
        rig.peer(busy).send(whole.substr(0, cut));
        rig.run();
        rig.end_by_proxy();
        rig.run();
        CHECK(rig.peer(other(busy)).received() == whole.substr(0, cut));
        // What is sent behind the frame, even with its last byte, is dropped.
        rig.peer(busy).send(whole.substr(cut) + frame(busy, kText, "too late"));
    };
    check_untroubled({}, story, [&](Rig& rig) {
        expect_own_closes(rig, 1012);
        CHECK(delivery_to(rig, other(busy)).forwarded == whole.size());
    });
}

TEST_CASE("an end in the middle of frames both ways ends well whatever fails") {
    const std::string up = frame(Side::client, kText, "from the client");
    const std::string down = frame(Side::backend, kText, "from the backend");
    const auto story = [&](Rig& rig) {
        rig.client.send(up.substr(0, 12));
        rig.backend.send(down.substr(0, 7));
        rig.run();
        rig.end_by_proxy();
        rig.run();
        rig.client.send(up.substr(12) + up);
        rig.run();
        rig.backend.send(down.substr(7) + down);
    };
    check_story({}, story, [](Rig& rig) { expect_own_closes(rig, 1012); });
}

TEST_CASE("a frame header that has not passed yet is behind the proxy's Close") {
    const Side busy = GENERATE(Side::client, Side::backend);
    const std::string whole = frame(busy, kBinary, std::string(200, 'x'));
    const std::size_t cut = GENERATE(1, 3);
    const auto story = [&](Rig& rig) {
        rig.peer(busy).send(frame(busy, kText, "whole") + whole.substr(0, cut));
        rig.run();
        rig.end_by_proxy();
        rig.run();
        rig.peer(busy).send(whole.substr(cut));
    };
    check_story({}, story, [&](Rig& rig) {
        expect_own_closes(rig, 1012);
        CHECK(delivery_to(rig, other(busy)).forwarded == frame(busy, kText, "whole").size());
    });
}

TEST_CASE("a Close of ours may go between the fragments of a message") {
    Rig rig;
    rig.client.send(fragment(Side::client, kText, "the first of two"));
    rig.run();
    rig.end_by_proxy();
    rig.run();
    CHECK(delivery_to(rig, Side::backend).own_close == 1012);
    rig.finish();
    CHECK(judge(rig) == "");
}

TEST_CASE("a frame that never ends is cut off at the close timeout") {
    const Side busy = GENERATE(Side::client, Side::backend);
    Rig rig;
    rig.peer(busy).send(Frame(busy, kBinary).claims(1 << 30).header());
    rig.run();
    rig.end_by_proxy();
    for (int i = 0; i < 30; ++i) {
        rig.peer(busy).send("xx");
        rig.pass(kSecond / 10);
    }
    CHECK(rig.tunnel->done());
    rig.finish();
    CHECK(judge(rig) == "");
    CHECK_FALSE(delivery_to(rig, other(busy)).has_own);
}

TEST_CASE("our Close follows the held bytes, and FIN follows our Close") {
    const Side slow = GENERATE(Side::client, Side::backend);
    const auto story = [&](Rig& rig) {
        rig.peer(slow).stop_reading();
        rig.peer(other(slow)).text("under way");
        rig.run();
        rig.end_by_proxy();
        rig.run();
        rig.peer(slow).read(4);
        rig.run();
        rig.peer(slow).read_all();
    };
    check_with_faults({}, story);
    Rig rig;
    story(rig);
    rig.finish();
    CHECK(judge(rig) == "");
    expect_own_closes(rig, 1012);
    CHECK(delivery_to(rig, slow).forwarded == frame(other(slow), kText, "under way").size());
}

TEST_CASE("a second end() changes nothing") {
    Rig rig;
    rig.run();
    rig.end_by_proxy(EndReason::drain);
    rig.end_by_proxy(EndReason::shutdown);
    rig.finish();
    CHECK(judge(rig) == "");
    CHECK(rig.report.reason == EndReason::drain);
    expect_own_closes(rig, 1012);
}

TEST_CASE("once a side has sent a Close neither side gets one of ours") {
    const Side first = GENERATE(Side::client, Side::backend);
    const auto story = [&](Rig& rig) {
        rig.peer(other(first)).stay_silent();
        rig.peer(first).close(4001);
        rig.run();
        rig.end_by_proxy();
        rig.run();
        rig.peer(other(first)).close(4002);
    };
    check_story({}, story, [&](Rig& rig) {
        CHECK_FALSE(delivery_to(rig, other(first)).has_own);
        expect_all_delivered(rig);
        CHECK(rig.report.close_code == 4001);
    });
}

TEST_CASE("when no Close can be sent the proxy ends TCP") {
    Setup setup;
    const bool raw = GENERATE(true, false);
    setup.raw = raw;
    setup.policy.validate = Validate::off;
    const auto story = [](Rig& rig) {
        rig.client.send("\x89\x7E garbage");
        rig.backend.send("\x89\x7E garbage");
        rig.run();
        rig.end_by_proxy();
    };
    check_story(setup, story, [](Rig& rig) {
        expect_all_delivered(rig);
        CHECK(rig.client.got_fin());
        CHECK(rig.backend.got_fin());
        CHECK(rig.report.close_code == 1012);
    });
}

TEST_CASE("end() of a tunnel whose one side has ended closes the other") {
    const Side first = GENERATE(Side::client, Side::backend);
    const auto story = [&](Rig& rig) {
        rig.peer(other(first)).stay_silent();
        rig.peer(first).text("that is all");
        rig.peer(first).end();
        rig.run();
        rig.end_by_proxy();
        rig.run();
        rig.peer(other(first)).end();
    };
    check_story({}, story, [&](Rig& rig) {
        expect_told_of_end(rig, first);
        CHECK(delivery_to(rig, first).own_close == 1012);
        CHECK(delivery_to(rig, other(first)).own_close == 0);
    });
}
