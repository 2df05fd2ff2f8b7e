// What a policy limits: message sizes, the client's message rate, a tunnel's lifetime, half-closed connections.
#include <catch2/catch.hpp>

#include "support/tunnel_verdict.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

constexpr MonotonicUs kStart = 1'000'000'000;

Setup rated(std::uint32_t rate, std::uint32_t burst) {
    Setup setup;
    setup.policy.message_rate = rate;
    setup.policy.message_burst = burst;
    return setup;
}

std::string numbered(int from, int to) {
    std::string out;
    for (int i = from; i <= to; ++i)
        out += frame(Side::client, kText, "message " + std::to_string(i));
    return out;
}

}  // namespace

TEST_CASE("messages beyond the burst wait for their turn and lose nothing") {
    const auto story = [](Rig& rig) {
        rig.client.send(numbered(1, 9));
        rig.backend.text("the other way is free");
        rig.pass(10 * kSecond);
        rig.client.close(1000);
    };
    check_story(rated(2, 3), story, [](Rig& rig) {
        expect_all_delivered(rig);
        CHECK(rig.report.client.messages == 9);
        CHECK(rig.report.violation == Violation::none);
    });
}

TEST_CASE("messages that wait come at the rate") {
    Rig rig(rated(2, 3));
    rig.client.send(numbered(1, 9));
    rig.run();
    CHECK(rig.backend.frames().size() == 3);
    CHECK((rig.tunnel->interest(Side::client) & kReadable) == 0);
    for (std::size_t i = 4; i <= 9; ++i) {
        CHECK(rig.tunnel->deadline() == rig.now + kSecond / 2);
        rig.pass(kSecond / 2);
        CHECK(rig.backend.frames().size() == i);
    }
    CHECK(rig.tunnel->interest(Side::client) == kReadable);
    rig.client.send(numbered(10, 10));
    rig.run();
    CHECK(rig.backend.frames().size() == 9);
    rig.pass(kSecond / 2);
    CHECK(rig.backend.received() == numbered(1, 10));
}

TEST_CASE("fragments of one message cost one token") {
    Rig rig(rated(1, 2));
    std::string message = fragment(Side::client, kText, "a");
    for (int i = 0; i < 5; ++i)
        message += fragment(Side::client, kContinuation, "b");
    message += frame(Side::client, kContinuation, "c");
    rig.client.send(message + message);
    rig.run();
    CHECK(rig.backend.received() == message + message);
}

TEST_CASE("more than twice the burst at once is a violation, and what may pass has passed") {
    const auto story = [](Rig& rig) { rig.client.send(numbered(1, 20)); };
    Rig rig(rated(1, 3));
    story(rig);
    rig.finish();
    CHECK(judge(rig) == "");
    CHECK(rig.report.violation == Violation::message_rate);
    CHECK(delivery_to(rig, Side::client).own_close == 1008);
    CHECK(delivery_to(rig, Side::backend).own_close == 1001);
    CHECK(delivery_to(rig, Side::backend).forwarded == numbered(1, 3).size());
    check_with_faults(rated(1, 3), story);
}

TEST_CASE("the proxy's end finds messages that wait, and the answering Close behind them") {
    const std::string all = numbered(1, 4);
    const std::size_t cut = GENERATE(as<std::size_t>(), 0, 1, 5, 9);  // of the last message
    const auto story = [&](Rig& rig) {
        rig.backend.stay_silent();
        rig.client.send(all.substr(0, all.size() - cut));
        rig.run();
        rig.end_by_proxy();
        rig.run();
        rig.client.send(all.substr(all.size() - cut));
        rig.run();
    };
    Rig rig(rated(1, 2));
    story(rig);
    CHECK(rig.client.got_fin());
    rig.finish();
    CHECK(judge(rig) == "");
    CHECK(delivery_to(rig, Side::client).own_close == 1012);
    CHECK(rig.report.violation == Violation::none);
    check_with_faults(rated(1, 2), story);
}

TEST_CASE("a Close that waits behind messages answers the proxy's own") {
    const auto story = [](Rig& rig) {
        rig.backend.stay_silent();
        rig.client.send(numbered(1, 4));
        rig.client.close(1000);
        rig.run();
        rig.end_by_proxy();
        rig.run();
    };
    Rig rig(rated(1, 2));
    story(rig);
    CHECK(rig.client.got_fin());
    check_with_faults(rated(1, 2), story);
}

TEST_CASE("the proxy's Close in the middle of a read does not lose what is behind it") {
    const std::string first = numbered(1, 1);
    Rig rig(rated(1, 2));
    rig.backend.stay_silent();
    rig.client.send(first.substr(0, 10));
    rig.run();
    rig.end_by_proxy();
    rig.client.send(first.substr(10) + numbered(2, 4));
    rig.client.close(1000);
    rig.run();
    CHECK(rig.client.got_fin());
    CHECK(delivery_to(rig, Side::backend).forwarded == first.size());
    rig.finish();
    CHECK(judge(rig) == "");
    CHECK(rig.report.violation == Violation::none);
}

TEST_CASE("early bytes are metered too") {
    Setup setup = rated(1, 2);
    setup.early_from_client = numbered(1, 4);
    Rig rig(setup);
    rig.start();
    CHECK(rig.backend.received() == numbered(1, 2));
    rig.pass(2 * kSecond);
    CHECK(rig.backend.received() == numbered(1, 4));
}

TEST_CASE("a message that is too big is refused from its header") {
    const Side offender = GENERATE(Side::client, Side::backend);
    Setup setup;
    setup.policy.max_message_from_client = 100;
    setup.policy.max_message_from_backend = 200;
    const std::size_t limit = offender == Side::client ? 100 : 200;
    const std::string good = frame(offender, kText, std::string(limit, 'x'));
    const auto story = [&](Rig& rig) {
        rig.peer(offender).send(good + frame(offender, kText, std::string(limit + 1, 'x')));
    };
    check_story(setup, story, [&](Rig& rig) {
        CHECK(rig.report.violation == Violation::message_too_big);
        CHECK(delivery_to(rig, offender).own_close == 1009);
        CHECK(delivery_to(rig, other(offender)).own_close == 1001);
        CHECK(delivery_to(rig, other(offender)).forwarded == good.size());
    });
}

TEST_CASE("a tunnel ends when its lifetime is over, however busy it is") {
    Setup setup;
    setup.lifetime = 10 * kSecond;
    const auto story = [](Rig& rig) {
        for (int i = 0; i < 12; ++i) {
            rig.client.text("busy");
            rig.pass(kSecond);
        }
    };
    check_story(setup, story, [](Rig& rig) {
        CHECK(rig.report.reason == EndReason::lifetime);
        CHECK(rig.report.close_code == 1012);
        CHECK(delivery_to(rig, Side::client).own_close == 1012);
        CHECK(delivery_to(rig, Side::backend).own_close == 1012);
        CHECK(rig.report.client.messages == 10);
    });
}

TEST_CASE("of several moments to end the earliest counts") {
    Rig rig;
    rig.start();
    rig.end_at(kStart + 20 * kSecond, EndReason::drain);
    rig.end_at(kStart + 30 * kSecond, EndReason::shutdown);
    CHECK(rig.tunnel->deadline() == kStart + 20 * kSecond);
    rig.end_at(kStart + 5 * kSecond, EndReason::lifetime);
    rig.pass(6 * kSecond);
    rig.finish();
    CHECK(rig.report.reason == EndReason::lifetime);
    CHECK(delivery_to(rig, Side::client).own_close == 1012);
}

TEST_CASE("a moment to end that comes while the tunnel closes by itself keeps the first reason") {
    Rig rig;
    rig.start();
    rig.end_at(kStart + kSecond, EndReason::drain);
    rig.backend.stay_silent();
    rig.client.close(1000);
    rig.finish();
    CHECK(judge(rig) == "");
    CHECK(rig.report.reason == EndReason::client_close);
    CHECK(rig.report.close_code == 1000);
}

TEST_CASE("without half-close one side's end of TCP ends both") {
    const Side first = GENERATE(Side::client, Side::backend);
    Setup setup;
    setup.policy.half_close = false;
    const auto story = [&](Rig& rig) {
        rig.peer(first).text("last words");
        rig.peer(first).end();
        rig.run();
        rig.peer(other(first)).text("to nobody");
    };
    check_story(setup, story, [&](Rig& rig) {
        expect_told_of_end(rig, first);
        CHECK(rig.peer(first).received().empty());
        CHECK(rig.now == kStart);
    });
}
