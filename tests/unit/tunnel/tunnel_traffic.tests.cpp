// Bytes through a tunnel: as they came, both ways, whatever the sizes of reads, writes and buffers.
#include <catch2/catch.hpp>

#include "support/tunnel_verdict.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

// Every kind of frame, and a length in each of its short forms.
std::string some_of_everything(Side from) {
    return frame(from, kText, "hello") + frame(from, kBinary) +
           frame(from, kPing, "are you there") + fragment(from, kText, "in ") +
           frame(from, kPong, "out of turn") + frame(from, kContinuation, "two") +
           frame(from, kBinary, std::string(125, 'a')) +
           frame(from, kBinary, std::string(126, 'b')) + frame(from, kPing, std::string(125, 'p'));
}
constexpr std::uint64_t kMessages = 5;  // in the above

void both_talk_and_the_client_closes(Rig& rig) {
    rig.client.send(some_of_everything(Side::client));
    rig.run();
    rig.backend.send(some_of_everything(Side::backend));
    rig.client.text("meanwhile");
    rig.run();
    rig.client.close(1000, "bye");
}

Setup validating(Validate validate) {
    Setup setup;
    setup.policy.validate = validate;
    return setup;
}

}  // namespace

TEST_CASE("what either side sends reaches the other as it was sent") {
    const Setup setup = validating(GENERATE(Validate::off, Validate::frames, Validate::full));
    check_story(setup, both_talk_and_the_client_closes, [](Rig& rig) {
        expect_all_delivered(rig);
        CHECK(rig.report.reason == EndReason::client_close);
        CHECK(rig.report.close_code == 1000);
        CHECK(rig.report.client.messages == kMessages + 1);
        CHECK(rig.report.backend.messages == kMessages);
    });
}

TEST_CASE("bytes that came right after a handshake are relayed first") {
    const std::size_t cut = GENERATE(1, 9, 400);
    const std::string from_client = some_of_everything(Side::client);
    const std::string from_backend = some_of_everything(Side::backend);
    Setup setup;
    setup.early_from_client = from_client.substr(0, cut);
    setup.early_from_backend = from_backend.substr(0, cut);
    const auto story = [&](Rig& rig) {
        rig.client.send(from_client.substr(std::min(cut, from_client.size())));
        rig.backend.send(from_backend.substr(std::min(cut, from_backend.size())));
        rig.run();
        rig.client.close(1000);
    };
    check_story(setup, story, [&](Rig& rig) {
        CHECK(rig.backend.received().substr(0, from_client.size()) == from_client);
        CHECK(rig.client.received().substr(0, from_backend.size()) == from_backend);
        expect_all_delivered(rig);
    });
}

TEST_CASE("early bytes do not wait for a side to become readable") {
    Setup setup;
    setup.early_from_client = frame(Side::client, kText, "first");
    setup.early_from_backend = frame(Side::backend, kText, "welcome");
    Rig rig(setup);
    rig.tunnel->start(rig.now);
    CHECK(rig.backend.received() == setup.early_from_client);
    CHECK(rig.client.received() == setup.early_from_backend);
}

TEST_CASE("another protocol passes unseen in raw mode") {
    Setup setup;
    setup.raw = true;
    setup.early_from_client = "hello \x88\x80";
    const auto story = [](Rig& rig) {
        rig.client.send("\x81\xFE this is no frame, \x88 no Close");
        rig.run();
        rig.backend.send(std::string("\xFF\xFF\0\xFF", 4));
        rig.run();
        rig.client.end();
        rig.run();
        rig.backend.send("more, behind the client's end");
        rig.run();
    };
    check_story(setup, story, [](Rig& rig) {
        expect_all_delivered(rig);
        CHECK(rig.report.client.messages == 0);
        CHECK(rig.report.reason == EndReason::client_eof);
    });
}

TEST_CASE("with Validate Off garbage passes whole") {
    const std::string garbage =
        GENERATE(as<std::string>(), "\xFF\xFF\xFF garbage",
                 "\x89\x7E long Ping, and then much more of the same", "\x83\x02 a \x88\x01",
                 "\x01\x03"
                 "abcunmasked");
    const auto story = [&](Rig& rig) {
        rig.client.send(garbage);
        rig.backend.send(garbage);
        rig.run();
        rig.client.end();
        rig.backend.end();
    };
    check_story(validating(Validate::off), story, expect_all_delivered);
}

TEST_CASE("a reader that stops stops the other side's writer, and loses nothing") {
    const std::string much = frame(Side::backend, kBinary, std::string(3000, 'x'));
    Setup setup;
    setup.policy.buffer_size = 100;
    Rig rig(setup);
    rig.run();
    rig.client.stop_reading();
    rig.backend.send(much);
    rig.run();
    CHECK(rig.script(Side::backend).taken <= 100);
    CHECK((rig.tunnel->interest(Side::backend) & kReadable) == 0);
    CHECK((rig.tunnel->interest(Side::client) & kWritable) != 0);

    rig.client.text("the other way goes on");
    rig.run();
    CHECK(rig.backend.received() == rig.client.sent());

    while (rig.client.received().size() < much.size()) {
        const std::size_t before = rig.client.received().size();
        rig.client.read(37);
        rig.run();
        REQUIRE(rig.client.received().size() > before);
    }
    CHECK(rig.client.received() == much);
    rig.client.read_all();
    rig.run();
    CHECK(rig.tunnel->interest(Side::backend) == kReadable);
    rig.finish();
    CHECK(judge(rig) == "");
}

TEST_CASE("back-pressure holds for every pattern of slow readers") {
    const auto story = [](Rig& rig) {
        rig.client.stop_reading();
        rig.backend.stop_reading();
        rig.client.send(some_of_everything(Side::client));
        rig.backend.send(some_of_everything(Side::backend));
        rig.run();
        for (std::size_t bytes : {1, 2, 3, 50, 131, 200}) {
            rig.client.read(bytes);
            rig.run();
            rig.backend.read(bytes);
            rig.run();
        }
        rig.client.read_all();
        rig.backend.read_all();
        rig.run();
        rig.backend.close(1001);
    };
    check_story({}, story, [](Rig& rig) {
        expect_all_delivered(rig);
        CHECK_FALSE(rig.script(Side::client).read_while_held);
        CHECK_FALSE(rig.script(Side::backend).read_while_held);
    });
}

TEST_CASE("an idle tunnel waits for input on both sides and for nothing else") {
    Rig rig;
    rig.client.text("hello");
    rig.run();
    CHECK(rig.tunnel->interest(Side::client) == kReadable);
    CHECK(rig.tunnel->interest(Side::backend) == kReadable);
    CHECK(rig.tunnel->deadline() == kNever);
    CHECK_FALSE(rig.tunnel->has_more());
    CHECK_FALSE(rig.tunnel->done());
}

TEST_CASE("one wake-up does not read without end, and says that there is more") {
    Rig rig({}, {0, 1});
    rig.start();
    rig.client.send(frame(Side::client, kBinary, std::string(1000, 'x')));
    std::uint8_t scratch[1000];
    const std::size_t before = rig.script(Side::client).taken;
    rig.tunnel->advance(kReadable, kNoInterest, {scratch, sizeof scratch}, rig.now);
    CHECK(rig.script(Side::client).taken > before);
    CHECK(rig.script(Side::client).taken < 100);
    CHECK(rig.tunnel->has_more());
}

TEST_CASE("a tunnel that is destroyed destroys its streams and does not call its observer") {
    Rig rig;
    rig.client.text("hello");
    rig.run();
    rig.tunnel.reset();
    CHECK(rig.script(Side::client).destroyed);
    CHECK(rig.script(Side::backend).destroyed);
    CHECK(rig.tells == 0);
}

TEST_CASE("the observer hears of bytes and messages in steps, and of the rest at the end") {
    Rig rig;
    rig.client.text("a few bytes");
    rig.run();
    CHECK(rig.traffic_told.empty());
    const std::uint64_t first = rig.client.sent().size();
    rig.client.text(std::string(5000, 'a'));
    rig.run();
    REQUIRE(rig.traffic_told.size() == 1);
    CHECK(rig.traffic_told[0].backend_read == 0);
    CHECK(rig.traffic_told[0].backend_written > 5000);
    CHECK(rig.traffic_told[0].bytes_in == rig.client.sent().size());
    CHECK(rig.traffic_told[0].bytes_out == 0);
    CHECK(rig.traffic_told[0].messages_in == 2);
    CHECK(rig.traffic_told[0].messages_out == 0);
    rig.backend.text(std::string(5000, 'b'));
    rig.run();
    REQUIRE(rig.traffic_told.size() == 2);
    CHECK(rig.traffic_told[1].backend_read > 5000);
    CHECK(rig.traffic_told[1].backend_written == 0);
    CHECK(rig.traffic_told[1].messages_out == 1);
    rig.client.text(std::string(5000, 'c'));
    rig.run();
    REQUIRE(rig.traffic_told.size() == 3);
    CHECK(rig.traffic_told[2].backend_read == 0);
    CHECK(rig.traffic_told[2].backend_written == rig.traffic_told[0].backend_written - first);
    rig.client.close(1000, "bye");
    rig.finish();
    CHECK(rig.traffic_told.size() == 4);
    CHECK(judge(rig) == "");  // the rig compares the sums with the report
}

TEST_CASE("a timer that fires reports a few bytes too, once") {
    Rig rig;
    rig.client.text("a few bytes");
    rig.run();
    CHECK(rig.traffic_told.empty());
    rig.tunnel->on_timer(rig.now);
    rig.tunnel->on_timer(rig.now);
    REQUIRE(rig.traffic_told.size() == 1);
    CHECK(rig.traffic_told[0].backend_written == rig.client.sent().size());
    rig.finish();
    CHECK(judge(rig) == "");
}

TEST_CASE("bytes that nobody takes are reported at the end, as what they were") {
    Rig rig;
    rig.run();
    rig.backend.stop_reading();
    rig.client.text("a message");
    rig.run();
    rig.tunnel->on_timer(rig.now);
    REQUIRE(rig.traffic_told.size() == 1);
    CHECK(rig.traffic_told[0].bytes_in == rig.client.sent().size());
    CHECK(rig.traffic_told[0].backend_written < rig.client.sent().size());
    CHECK(rig.traffic_told[0].messages_in == 0);
    rig.finish();
}
