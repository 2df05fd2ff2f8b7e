// How the scanner walks: what it forwards, what it shows, where it stops, what it counts. Its rules
// are in frame_scanner_rules.tests.cpp, text in frame_scanner_text.tests.cpp.
#include "protocol/frame_scanner.hpp"

#include <catch2/catch.hpp>

#include "support/frames.hpp"
#include "support/scanner_checks.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

constexpr std::size_t kLengths[] = {0, 1, 125, 126, 127, 65535, 65536, 70000};

std::string every_kind_of_frame(Side sender) {
    return frame(sender, kText, "hello") + frame(sender, kPing, "are you there") +
           fragment(sender, kBinary, "one") + frame(sender, kPong) +
           fragment(sender, kContinuation) + frame(sender, kPing) +
           frame(sender, kContinuation, std::string(200, 'z')) + frame(sender, kBinary) +
           close_frame(sender, 1000, "bye");
}

}  // namespace

TEST_CASE("valid traffic passes bit for bit, however it is cut") {
    const Side sender = GENERATE(Side::client, Side::backend);
    const Validate validate = GENERATE(Validate::off, Validate::frames, Validate::full);
    const std::string input = every_kind_of_frame(sender);

    const ScanOutcome outcome = check_scan({sender, validate}, input);

    CHECK(outcome.forwarded == input);
    CHECK(outcome.error == Violation::none);
    CHECK(outcome.messages == 3);
    CHECK(outcome.close_code == 1000);
    CHECK(outcome.controls.size() == 4);
}

TEST_CASE("a data frame of any length passes bit for bit") {
    const Side sender = GENERATE(Side::client, Side::backend);
    const Validate validate = GENERATE(Validate::off, Validate::frames, Validate::full);
    const std::size_t length = GENERATE(from_range(std::begin(kLengths), std::end(kLengths)));
    const std::string input =
        frame(sender, kText, std::string(length, 'a')) + frame(sender, kBinary, "next");

    const ScanOutcome outcome = check_scan({sender, validate}, input);

    CHECK(outcome.forwarded == input);
    CHECK(outcome.messages == 2);
}

TEST_CASE("the payload of a frame is ready before the frame is whole") {
    const std::string half = Frame(Side::client, kBinary, "12345").claims(1u << 30).bytes();
    const ScanOutcome outcome = check_scan({}, half);
    CHECK(outcome.forwarded == half);
    CHECK_FALSE(outcome.at_boundary);
    CHECK(outcome.messages == 0);
}

TEST_CASE("a frame of the largest length is followed") {
    const Side sender = GENERATE(Side::client, Side::backend);
    const std::string input = Frame(sender, kBinary, "abc").claims(INT64_MAX).bytes();
    const ScanOutcome outcome = check_scan({sender, Validate::full}, input);
    CHECK(outcome.forwarded == input);
    CHECK_FALSE(outcome.lost);
}

TEST_CASE("an incomplete header is held") {
    const std::string header = Frame(Side::client, kBinary).claims(70000).header();
    for (std::size_t size = 0; size < header.size(); ++size) {
        const ScanOutcome outcome = check_scan({}, header.substr(0, size));
        CHECK(outcome.forwarded.empty());
        CHECK(outcome.at_boundary);
    }
    CHECK(check_scan({}, header).forwarded == header);
}

TEST_CASE("a control frame is shown unmasked, and only when it is whole") {
    const Side sender = GENERATE(Side::client, Side::backend);
    const unsigned opcode = GENERATE(as<unsigned>(), kPing, kPong);
    const std::size_t length = GENERATE(as<std::size_t>(), 0, 1, 3, 4, 5, 124, 125);
    const std::string payload = std::string("0123456789").append(150, '#').substr(0, length);
    const std::string input = frame(sender, opcode, payload);

    const ScanOutcome whole = check_scan({sender}, input);
    REQUIRE(whole.controls.size() == 1);
    CHECK(whole.controls[0] == ShownControl{0, opcode, input.size(), payload});

    const ScanOutcome cut_short = check_scan({sender}, input.substr(0, input.size() - 1));
    CHECK(cut_short.controls.empty());
    CHECK(cut_short.forwarded.empty());
}

TEST_CASE("control frames between fragments leave the message as it is") {
    const Side sender = GENERATE(Side::client, Side::backend);
    const std::string begin = fragment(sender, kText, "a") + frame(sender, kPing, "p");

    const ScanOutcome open = check_scan({sender, Validate::full}, begin);
    CHECK(open.in_message);
    CHECK(open.at_boundary);
    CHECK(open.messages == 0);

    const ScanOutcome done =
        check_scan({sender, Validate::full}, begin + frame(sender, kContinuation, "b"));
    CHECK_FALSE(done.in_message);
    CHECK(done.messages == 1);
}

TEST_CASE("a message counts when its last byte has passed") {
    const Side sender = GENERATE(Side::client, Side::backend);
    const std::string message =
        fragment(sender, kBinary, "ab") + frame(sender, kContinuation, "cd");
    CHECK(check_scan({sender}, message.substr(0, message.size() - 1)).messages == 0);
    CHECK(check_scan({sender}, message).messages == 1);
    CHECK(check_scan({sender}, frame(sender, kText)).messages == 1);
    CHECK(check_scan({sender}, fragment(sender, kText)).messages == 0);
    CHECK(check_scan({sender}, fragment(sender, kText) + frame(sender, kContinuation)).messages ==
          1);
}

TEST_CASE("the close code is 0 before a Close, 1005 without one in it, else what the Close says") {
    const Side sender = GENERATE(Side::client, Side::backend);
    CHECK(check_scan({sender}, frame(sender, kPing, "\x03\xE8")).close_code == 0);
    CHECK(check_scan({sender}, frame(sender, kClose)).close_code == 1005);
    CHECK(check_scan({sender}, close_frame(sender, 1001)).close_code == 1001);
    CHECK(check_scan({sender}, close_frame(sender, 4999, "why")).close_code == 4999);
}

TEST_CASE("a Close that says code 0 counts as a Close") {
    const Validate validate = GENERATE(Validate::off, Validate::frames);
    const ScanOutcome outcome = check_scan({Side::client, validate}, close_frame(Side::client, 0));
    CHECK(outcome.close_code == 1005);
    CHECK(outcome.controls.size() == 1);
}

TEST_CASE("asked to stop at a boundary, it stops between any two frames and nowhere else") {
    const Side sender = GENERATE(Side::client, Side::backend);
    const std::string first = frame(sender, kText, "hello");
    const std::string second = fragment(sender, kBinary, "world");
    const std::string input = first + second + frame(sender, kPing);
    FrameScanner scanner({sender});
    FrameScanner::Control control;
    const auto scan = [&](std::size_t from, std::size_t to, bool ask) {
        return scanner.scan(reinterpret_cast<const std::uint8_t*>(input.data()) + from, to - from,
                            ask, control);
    };

    SECTION("at once when it is at one already") {
        const auto result = scan(0, input.size(), true);
        CHECK(result.stop == FrameScanner::Stop::boundary);
        CHECK(result.ready == 0);
    }
    SECTION("at once also without input") {
        CHECK(scan(0, 0, true).stop == FrameScanner::Stop::boundary);
    }
    SECTION("at the end of the payload in progress") {
        REQUIRE(scan(0, first.size() - 2, false).ready == first.size() - 2);
        const auto result = scan(first.size() - 2, input.size(), true);
        CHECK(result.stop == FrameScanner::Stop::boundary);
        CHECK(result.ready == 2);
        CHECK(scanner.at_boundary());
    }
    SECTION("not inside a payload") {
        REQUIRE(scan(0, first.size() - 2, false).ready == first.size() - 2);
        const auto result = scan(first.size() - 2, first.size() - 1, true);
        CHECK(result.stop == FrameScanner::Stop::more);
        CHECK(result.ready == 1);
        CHECK_FALSE(scanner.at_boundary());
    }
    SECTION("at the end of a fragment, which is inside a message") {
        const std::size_t ends = first.size() + second.size();
        REQUIRE(scan(0, ends - 1, false).ready == ends - 1);
        CHECK(scan(ends - 1, input.size(), true).stop == FrameScanner::Stop::boundary);
        CHECK(scanner.in_message());
    }
}

TEST_CASE("without input there is nothing to do") {
    FrameScanner scanner({});
    FrameScanner::Control control;
    const auto result = scanner.scan(nullptr, 0, false, control);
    CHECK(result.stop == FrameScanner::Stop::more);
    CHECK(result.ready == 0);
}

TEST_CASE("a tunnel's scanner stays small") {
    CHECK(sizeof(FrameScanner) <= 64);
}
