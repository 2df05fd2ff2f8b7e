// How a tunnel ends when its peers end it: Closes, FINs and their order, half-closed connections,
// broken ones.
#include <catch2/catch.hpp>

#include "support/tunnel_verdict.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

void greet(Rig& rig) {
    rig.client.text("hello");
    rig.run();
    rig.backend.text("welcome");
    rig.run();
}

void expect_end(const Rig& rig, EndReason reason, unsigned code) {
    CHECK(name_of(rig.report.reason) == name_of(reason));
    CHECK(rig.report.close_code == code);
    CHECK(rig.report.violation == Violation::none);
    CHECK(rig.report.duration == rig.now - 1'000'000'000);
}

EndReason by(Side side, EndReason client, EndReason backend) {
    return side == Side::client ? client : backend;
}

}  // namespace

TEST_CASE("a Close from either side is relayed, and so is the answer") {
    const Side first = GENERATE(Side::client, Side::backend);
    const unsigned code = GENERATE(1000, 1001, 1011, 3000, 4999);
    const auto story = [&](Rig& rig) {
        greet(rig);
        rig.peer(first).close(code, "reason");
    };
    check_story({}, story, [&](Rig& rig) {
        expect_all_delivered(rig);
        CHECK(rig.peer(first).frames().back().close_code() == code);
        expect_end(rig, by(first, EndReason::client_close, EndReason::backend_close), code);
        CHECK(rig.report.close_reason.text() == "reason");
        CHECK(rig.client.got_fin());
        CHECK(rig.backend.got_fin());
    });
}

TEST_CASE("a Close without a code is reported as 1005") {
    const Side first = GENERATE(Side::client, Side::backend);
    Rig rig;
    rig.peer(first).send(frame(first, kClose));
    rig.finish();
    CHECK(judge(rig) == "");
    expect_all_delivered(rig);
    expect_end(rig, by(first, EndReason::client_close, EndReason::backend_close), 1005);
    CHECK(rig.report.close_reason.text().empty());
}

TEST_CASE("the reason that is reported is that of the first Close, whatever its bytes") {
    const Side first = GENERATE(Side::client, Side::backend);
    const std::string text =
        GENERATE(std::string(), std::string("\0\xFF\n", 3), std::string(123, 'x'));
    const auto story = [&](Rig& rig) {
        rig.peer(first).stay_silent();
        rig.peer(other(first)).stay_silent();
        rig.run();
        rig.peer(first).close(4000, text);
        rig.run();
        rig.peer(other(first)).close(4000, "the second");
    };
    check_story({}, story, [&](Rig& rig) { CHECK(rig.report.close_reason.text() == text); });
}

TEST_CASE("Closes that cross each other are both relayed, once") {
    const auto story = [](Rig& rig) {
        greet(rig);
        rig.client.close(1000);
        rig.backend.close(1001);
    };
    check_story({}, story, [](Rig& rig) {
        expect_all_delivered(rig);
        CHECK(rig.client.frames().size() == 2);
        CHECK(rig.backend.frames().size() == 2);
    });
}

TEST_CASE("the side that got a Close may still finish its message before it answers") {
    const auto story = [](Rig& rig) {
        rig.backend.send(fragment(Side::backend, kText, "begun "));
        rig.run();
        rig.client.close(1000);
        rig.backend.send(frame(Side::backend, kContinuation, "and ended"));
        rig.backend.text("one more");
        rig.run();
    };
    check_story({}, story, [](Rig& rig) {
        expect_all_delivered(rig);
        CHECK(rig.report.backend.messages == 2);
    });
}

TEST_CASE("when both Closes have passed the client gets FIN, and the backend's FIN is awaited") {
    const Side first = GENERATE(Side::client, Side::backend);
    Rig rig;
    rig.client.stay_silent();
    rig.backend.stay_silent();
    rig.peer(first).close(1000);
    rig.run();
    CHECK_FALSE(rig.client.got_fin());
    CHECK_FALSE(rig.backend.got_fin());

    rig.peer(other(first)).close(1000);
    rig.run();
    CHECK(rig.client.got_fin());
    CHECK_FALSE(rig.backend.got_fin());

    rig.client.end();  // as a client does that has got FIN
    rig.run();
    CHECK_FALSE(rig.backend.got_fin());
    CHECK_FALSE(rig.tunnel->done());

    rig.backend.end();
    rig.run();
    CHECK(rig.backend.got_fin());
    CHECK(rig.tunnel->done());
    rig.finish();
    CHECK(judge(rig) == "");
    CHECK(rig.now == 1'000'000'000);
}

TEST_CASE("a client's stream that ends at once is given up when both Closes have passed") {
    const Side first = GENERATE(Side::client, Side::backend);
    Rig rig;
    rig.script(Side::client).ends_at_once = true;
    rig.client.stay_silent();
    rig.backend.stay_silent();
    rig.peer(first).close(1000);
    rig.run();
    CHECK_FALSE(rig.client.got_fin());
    rig.peer(other(first)).close(1000);
    rig.run();
    CHECK(rig.client.got_fin());
    CHECK_FALSE(rig.backend.got_fin());  // it goes first

    rig.client.send("whatever");
    rig.backend.end();
    rig.run();
    CHECK(rig.tunnel->done());
    CHECK(rig.now == 1'000'000'000);
    rig.tunnel->finish_report(rig.now);
    expect_end(rig, by(first, EndReason::client_close, EndReason::backend_close), 1000);
}

TEST_CASE("a client's stream that ends at once is given up when nobody gets what it sends") {
    const bool breaks_a_rule = GENERATE(true, false);
    Rig rig;
    rig.script(Side::client).ends_at_once = true;
    rig.client.stay_silent();
    greet(rig);
    if (breaks_a_rule) {
        rig.client.send("\x83\x80mask");  // an opcode that there is not
    } else {
        rig.backend.reset();
    }
    rig.run();
    CHECK(rig.client.got_fin());
    CHECK(rig.tunnel->done());
    CHECK(rig.now == 1'000'000'000);
}

TEST_CASE("a client's stream that ends at once is read for as long as the backend may read it") {
    Rig rig;
    rig.script(Side::client).ends_at_once = true;
    rig.client.stay_silent();
    greet(rig);
    rig.backend.end();
    rig.run();
    CHECK(rig.client.got_fin());
    rig.client.text("last words");
    rig.run();
    expect_all_delivered(rig);
    CHECK_FALSE(rig.tunnel->done());
}

TEST_CASE("FIN goes to the client behind a Close that it has not taken yet") {
    Rig rig;
    rig.client.stop_reading();
    rig.client.close(1000);
    rig.run();
    CHECK_FALSE(rig.client.got_fin());
    CHECK(rig.client.received().empty());
    rig.client.read_all();
    rig.run();
    CHECK(rig.client.frames().size() == 1);
    CHECK(rig.client.got_fin());
    rig.finish();
    CHECK(judge(rig) == "");
}

TEST_CASE("TCP that ends without a Close ends the other side's behind what is under way") {
    const Side first = GENERATE(Side::client, Side::backend);
    const auto story = [&](Rig& rig) {
        greet(rig);
        rig.peer(first).text("last words");
        rig.peer(first).end();
    };
    check_story({}, story, [&](Rig& rig) {
        expect_told_of_end(rig, first);
        expect_end(rig, by(first, EndReason::client_eof, EndReason::backend_eof), 1006);
    });
}

TEST_CASE("TCP that ends in the middle of a frame is passed on with what there is of it") {
    const Side first = GENERATE(Side::client, Side::backend);
    const std::string whole = frame(first, kText, std::string(200, 'x'));
    const std::size_t cut = GENERATE(1, 2, 3, 5, 8, 100);
    const auto story = [&](Rig& rig) {
        greet(rig);
        rig.peer(first).send(whole.substr(0, cut));
        rig.peer(first).end();
    };
    check_story({}, story, [&](Rig& rig) { expect_delivered(rig, first); });
}

TEST_CASE("a control frame that TCP's end has cut off is passed on with what there is of it") {
    const Side first = GENERATE(Side::client, Side::backend);
    const std::string whole = frame(first, kPing, "cut off");
    const auto story = [&](Rig& rig) {
        rig.peer(first).send(whole.substr(0, whole.size() - 1));
        rig.peer(first).end();
    };
    check_story({}, story, [&](Rig& rig) { expect_delivered(rig, first); });
}

TEST_CASE("when one side has ended TCP the other direction goes on") {
    const Side first = GENERATE(Side::client, Side::backend);
    const auto story = [&](Rig& rig) {
        ScriptedPeer& stays = rig.peer(other(first));
        stays.stay_silent();
        greet(rig);
        rig.peer(first).end();
        rig.run();
        // Longer than the close timeout in all, but never without a byte for so long.
        for (int i = 0; i < 10; ++i) {
            rig.pass(kSecond);
            stays.text("still here");
        }
        rig.run();
        stays.end();
    };
    check_story({}, story, [&](Rig& rig) {
        expect_told_of_end(rig, first);
        expect_told_of_end(rig, other(first));
    });
}

TEST_CASE("a connection that breaks ends the other one") {
    const Side first = GENERATE(Side::client, Side::backend);
    const auto story = [&](Rig& rig) {
        greet(rig);
        rig.peer(first).reset();
    };
    check_story({}, story, [&](Rig& rig) {
        expect_told_of_end(rig, first);
        CHECK(rig.peer(other(first)).got_fin());
        CHECK_FALSE(rig.peer(first).got_fin());
        expect_end(rig, by(first, EndReason::client_lost, EndReason::backend_lost), 1006);
        CHECK(rig.report.os_error == ECONNRESET);
        CHECK(rig.now == 1'000'000'000);
    });
}

TEST_CASE("the errno of a connection that breaks after a Close is not reported") {
    const Side first = GENERATE(Side::client, Side::backend);
    const Side broken = GENERATE(Side::client, Side::backend);
    Rig rig;
    greet(rig);
    rig.peer(broken).stay_silent();
    rig.peer(first).close(1000, "bye");
    rig.run();
    rig.peer(broken).reset();
    rig.run();
    rig.finish();
    expect_end(rig, by(first, EndReason::client_close, EndReason::backend_close), 1000);
    CHECK(rig.report.os_error == 0);
}

TEST_CASE("a side that breaks while it takes nothing is noticed when something is held for it") {
    const Side first = GENERATE(Side::client, Side::backend);
    Rig rig;
    rig.peer(first).stop_reading();
    rig.peer(other(first)).text("held");
    rig.run();
    rig.peer(first).reset();
    rig.run();
    CHECK(rig.peer(other(first)).got_fin());
    rig.finish();
    CHECK(judge(rig) == "");
    expect_end(rig, by(first, EndReason::client_lost, EndReason::backend_lost), 1006);
}

TEST_CASE("a Close with FIN right after it still gets its reply") {
    const Side first = GENERATE(Side::client, Side::backend);
    const auto story = [&](Rig& rig) {
        greet(rig);
        rig.peer(first).close(1000);
        rig.peer(first).end();
    };
    check_story({}, story, [&](Rig& rig) {
        expect_all_delivered(rig);
        CHECK(rig.peer(first).frames().back().opcode() == kClose);
        expect_end(rig, by(first, EndReason::client_close, EndReason::backend_close), 1000);
    });
}

TEST_CASE("abort() ends a tunnel at once and without a Close") {
    Rig rig;
    greet(rig);
    rig.client.send(frame(Side::client, kText, "half of it").substr(0, 9));
    rig.run();
    const std::string to_client = rig.client.received(), to_backend = rig.backend.received();
    rig.tunnel->abort(EndReason::shutdown);
    CHECK(rig.tunnel->done());
    rig.tunnel->finish_report(rig.now);
    CHECK(rig.client.received() == to_client);
    CHECK(rig.backend.received() == to_backend);
    CHECK_FALSE(rig.client.got_fin());
    expect_end(rig, EndReason::shutdown, 1006);
}

TEST_CASE("an aborted tunnel keeps the end reason that it had") {
    Rig rig;
    rig.backend.stay_silent();
    rig.client.close(1000);
    rig.run();
    rig.tunnel->abort(EndReason::shutdown);
    rig.finish();
    expect_end(rig, EndReason::client_close, 1000);
}

TEST_CASE("with Validate Off a Close has no consequences for the proxy") {
    Setup setup;
    setup.policy.validate = Validate::off;
    const auto story = [](Rig& rig) {
        rig.client.stay_silent();
        rig.backend.stay_silent();
        rig.client.close(1000);
        rig.run();
        rig.backend.close(1000);
        rig.pass(60 * kSecond);  // longer than the close timeout
        rig.backend.text("behind its Close");
        rig.client.text("and here too");
        rig.run();
        rig.client.end();
        rig.pass(60 * kSecond);
        rig.backend.text("last words");
        rig.backend.end();
    };
    check_story(setup, story, [](Rig& rig) {
        expect_all_delivered(rig);
        expect_end(rig, EndReason::client_close, 1000);
    });
}

TEST_CASE("only messages that the other side has taken are counted") {
    const Side slow = GENERATE(Side::client, Side::backend);
    Rig rig;
    const auto sent_by_other = [&] {
        const TunnelReport told = rig.tunnel->report(rig.now);
        return slow == Side::client ? told.backend.messages : told.client.messages;
    };
    const std::string message = frame(other(slow), kText, "twelve bytes");
    rig.peer(slow).stay_silent();
    rig.peer(other(slow)).stay_silent();
    rig.peer(slow).read(2 * message.size());
    for (int i = 0; i < 5; ++i)
        rig.peer(other(slow)).send(message);
    rig.run();
    CHECK(rig.peer(slow).frames().size() == 2);
    CHECK(sent_by_other() == 0);  // whatever is held was read with them
    rig.peer(slow).read_all();
    rig.run();
    CHECK(sent_by_other() == 5);
    rig.peer(slow).stop_reading();
    rig.peer(other(slow)).send(message + message);
    rig.run();
    rig.peer(slow).reset();
    rig.run();
    CHECK(sent_by_other() == 5);
}
