// A side that breaks a rule: the offender gets a Close with the rule's code, the other side 1001,
// each between two frames, and nothing of the offending frame is passed on.
#include <catch2/catch.hpp>

#include "support/tunnel_verdict.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

struct Breach {
    Violation error;
    std::string bytes;
};

std::string good(Side from) {
    return frame(from, kText, "good") + frame(from, kPing, "p");
}

std::vector<Breach> breaches(Side from) {
    return {
        {Violation::reserved_bits, Frame(from, kText, "bad").rsv(2).bytes()},
        {Violation::reserved_opcode, frame(from, 3, "bad")},
        {from == Side::client ? Violation::unmasked_frame : Violation::masked_frame,
         frame(other(from), kText, "bad")},
        {Violation::length_not_minimal, Frame(from, kText, "bad").extra_length_bytes(2).bytes()},
        {Violation::length_too_large, Frame(from, kBinary).claims(1ull << 63).header()},
        {Violation::control_fragmented, fragment(from, kPing, "bad")},
        {Violation::control_too_long, frame(from, kPing, std::string(126, 'x'))},
        {Violation::unexpected_continuation, frame(from, kContinuation, "bad")},
        {Violation::expected_continuation, frame(from, kText, "bad")},
        {Violation::close_payload_of_one_byte, frame(from, kClose, "x")},
        {Violation::bad_close_code, close_frame(from, 1005)}};
}

// What goes in front of the breach, so that it is one.
std::string prelude(Side from, Violation error) {
    return good(from) +
           (error == Violation::expected_continuation ? fragment(from, kText, "a") : "");
}

Setup strict() {
    Setup setup;
    setup.policy.validate = Validate::full;
    return setup;
}

EndReason violation_by(Side side) {
    return side == Side::client ? EndReason::client_violation : EndReason::backend_violation;
}

void expect_violation(const Rig& rig, Side offender, Violation error) {
    CHECK(name_of(rig.report.reason) == name_of(violation_by(offender)));
    CHECK(name_of(rig.report.violation) == name_of(error));
    CHECK(rig.report.close_code == close_code_of(error));
    CHECK(rig.report.close_reason.text() == close_reason_of(error));
}

}  // namespace

TEST_CASE("the offender gets the rule's code, the other side 1001, and nothing of the frame") {
    const Side offender = GENERATE(Side::client, Side::backend);
    for (const Breach& breach : breaches(offender)) {
        CAPTURE(name_of(breach.error));
        const std::string before = prelude(offender, breach.error);
        const auto story = [&](Rig& rig) {
            rig.peer(other(offender)).text("hello");
            rig.peer(offender).send(before + breach.bytes + "whatever follows");
        };
        check_untroubled(strict(), story, [&](Rig& rig) {
            expect_violation(rig, offender, breach.error);
            const Delivery upright = delivery_to(rig, other(offender));
            CHECK(upright.forwarded == before.size());
            CHECK(upright.own_close == 1001);
            const Delivery told = delivery_to(rig, offender);
            CHECK(told.own_close == close_code_of(breach.error));
            CHECK(rig.peer(offender).frames().back().payload.substr(2) ==
                  close_reason_of(breach.error));
        });
    }
}

TEST_CASE("a violation ends well whatever fails on the way") {
    const Side offender = GENERATE(Side::client, Side::backend);
    const auto story = [&](Rig& rig) {
        rig.peer(other(offender)).text("hello");
        rig.peer(offender).send(good(offender) + frame(offender, 3, "bad") + "whatever follows");
        rig.run();
        rig.peer(other(offender)).text("under way");
    };
    check_with_faults({}, story);
}

TEST_CASE("the offender's Close waits for the end of the frame that is on its way to it") {
    const Side offender = GENERATE(Side::client, Side::backend);
    const Side upright = other(offender);
    const std::string long_one = frame(upright, kText, std::string(60, 'u'));
    const auto story = [&](Rig& rig) {
        rig.peer(upright).send(long_one.substr(0, 20));
        rig.run();
        rig.peer(offender).send(frame(offender, 3, "bad"));
        rig.run();
        CHECK(rig.peer(offender).received() == long_one.substr(0, 20));
        rig.peer(upright).send(long_one.substr(20) + frame(upright, kText, "dropped"));
    };
    check_untroubled({}, story, [&](Rig& rig) {
        const Delivery told = delivery_to(rig, offender);
        CHECK(told.forwarded == long_one.size());
        CHECK(told.own_close == 1002);
        expect_violation(rig, offender, Violation::reserved_opcode);
    });
}

TEST_CASE("when text goes wrong inside a frame that has begun, no Close can be sent") {
    const Side offender = GENERATE(Side::client, Side::backend);
    const std::string bad = frame(offender, kText, "fine so far \xFF not any more");
    Rig rig(strict());
    rig.peer(offender).send(bad.substr(0, 10));
    rig.run();
    rig.peer(offender).send(bad.substr(10));
    rig.run();
    CHECK(rig.peer(other(offender)).received() == bad.substr(0, 10));
    CHECK(rig.peer(other(offender)).got_fin());
    CHECK(delivery_to(rig, offender).own_close == 1007);
    rig.finish();
    CHECK(judge(rig) == "");
    expect_violation(rig, offender, Violation::invalid_utf8);
}

TEST_CASE("the offender gets FIN after its Close, without waiting for its reply") {
    const Side offender = GENERATE(Side::client, Side::backend);
    Rig rig;
    rig.peer(offender).stay_silent();
    rig.peer(offender).send(frame(offender, 3, "bad"));
    rig.run();
    CHECK(rig.peer(offender).got_fin());
    const std::string seen = rig.peer(other(offender)).received();
    rig.peer(offender).text("ignored");
    rig.peer(offender).close(1000);
    rig.run();
    CHECK(rig.peer(other(offender)).received() == seen);
    rig.finish();
    CHECK(judge(rig) == "");
}

TEST_CASE("an offender that sends on and on does not live longer than the close timeout") {
    const Side offender = GENERATE(Side::client, Side::backend);
    Rig rig;
    rig.peer(offender).stay_silent();
    rig.peer(offender).send(frame(offender, 3, "bad"));
    rig.run();
    for (int i = 0; i < 40 && !rig.tunnel->done(); ++i) {
        rig.peer(offender).send("junk");
        rig.pass(kSecond / 10);
    }
    CHECK(rig.tunnel->done());
}

// RFC 6455 5.5.1, 5.5.2 and 1.4: a Close may be crossed by a Ping, whose Pong then comes behind it, and what comes behind a
// Close is discarded by whoever gets it.
TEST_CASE("frames behind a Close are no violation and take nothing from the other side") {
    const Side first = GENERATE(Side::client, Side::backend);
    const auto story = [&](Rig& rig) {
        rig.peer(other(first)).stay_silent();
        rig.peer(first).close(4000);
        rig.peer(first).send(frame(first, kPong, "answer"));
        rig.peer(first).send(frame(first, 3, "junk"));
        rig.run();
        for (int i = 0; i < 10; ++i)
            rig.peer(other(first)).text("still to be said");
        rig.peer(other(first)).close(4000);
        rig.peer(other(first)).end();
    };
    check_story({}, story, [&](Rig& rig) {
        CHECK_FALSE(delivery_to(rig, other(first)).has_own);
        expect_delivered(rig, other(first));
        CHECK(rig.report.close_code == 4000);
        CHECK(rig.report.violation == Violation::none);
        const FlowReport& said = first == Side::client ? rig.report.backend : rig.report.client;
        const FlowReport& closed = first == Side::client ? rig.report.client : rig.report.backend;
        CHECK(said.messages == 10);
        CHECK(closed.messages == 0);
    });
}

TEST_CASE("a side that has sent a Close gets none of ours when the other side breaks a rule") {
    const Side first = GENERATE(Side::client, Side::backend);
    const auto story = [&](Rig& rig) {
        rig.peer(other(first)).stay_silent();
        rig.peer(first).close(4000);
        rig.run();
        rig.peer(other(first)).send(frame(other(first), 3, "bad"));
    };
    check_story({}, story, [&](Rig& rig) {
        CHECK_FALSE(delivery_to(rig, first).has_own);
        CHECK(rig.peer(first).got_fin());
        CHECK(rig.report.violation == Violation::reserved_opcode);
    });
}

TEST_CASE("two offenders at once both get a Close") {
    const auto story = [](Rig& rig) {
        rig.client.send(good(Side::client) + frame(Side::client, 3, "bad"));
        rig.backend.send(good(Side::backend) + frame(Side::backend, 4, "bad"));
    };
    check_story({}, story, [](Rig& rig) {
        CHECK(delivery_to(rig, Side::client).own_close >= 1001);
        CHECK(delivery_to(rig, Side::backend).own_close >= 1001);
        CHECK(rig.client.got_fin());
        CHECK(rig.backend.got_fin());
    });
}

TEST_CASE("no Close of ours goes into a frame that its sender has begun and will not end") {
    const Side offender = GENERATE(Side::client, Side::backend);
    const std::string begun = frame(other(offender), kPing, "half a Ping").substr(0, 8);
    Rig rig;
    rig.peer(other(offender)).send(begun);
    rig.run();
    rig.peer(other(offender)).end();
    rig.peer(offender).send(frame(offender, 3, "bad"));
    rig.run();
    CHECK(rig.peer(offender).received() == begun);
    CHECK(rig.peer(offender).got_fin());
    rig.finish();
    CHECK(judge(rig) == "");
}

TEST_CASE("an early byte can be the violation") {
    const Side offender = GENERATE(Side::client, Side::backend);
    Setup setup;
    (offender == Side::client ? setup.early_from_client : setup.early_from_backend) =
        good(offender) + frame(offender, 3, "bad");
    check_story(
        setup, [](Rig&) {},
        [&](Rig& rig) {
            expect_violation(rig, offender, Violation::reserved_opcode);
            CHECK(delivery_to(rig, offender).own_close == 1002);
            CHECK(delivery_to(rig, other(offender)).forwarded == good(offender).size());
        });
}
