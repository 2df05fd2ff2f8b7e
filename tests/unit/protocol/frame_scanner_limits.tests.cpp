// The message size limit, and Validate::off: what is followed without judging, and what cannot be
// followed.
#include <catch2/catch.hpp>

#include "support/frames.hpp"
#include "support/scanner_checks.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

ScanRules limited(Side sender, std::uint64_t max_message, Validate validate = Validate::frames) {
    return {sender, validate, 0, max_message};
}

// A scan must refuse the frame behind `good` from its header alone.
void expect_too_big(const ScanRules& rules, const std::string& good, Frame bad) {
    CAPTURE(to_string(rules.sender), rules.max_message, hex(good), hex(bad.header()));
    const ScanOutcome outcome = check_scan(rules, good + bad.header());
    CHECK(outcome.error == Violation::message_too_big);
    CHECK(outcome.forwarded == good);
}

void expect_lost(Side sender, const std::string& good, const std::string& strange) {
    CAPTURE(hex(good), hex(strange));
    const std::string input = good + strange + frame(sender, kPing, "not seen any more");
    const ScanOutcome outcome = check_scan({sender, Validate::off}, input);
    CHECK(outcome.lost);
    CHECK(outcome.error == Violation::none);
    CHECK(outcome.forwarded == input);
    CHECK(outcome.controls.empty());
    CHECK_FALSE(outcome.at_boundary);
}

void expect_followed(Side sender, const std::string& strange) {
    CAPTURE(hex(strange));
    const std::string input = strange + frame(sender, kPing, "p");
    const ScanOutcome outcome = check_scan({sender, Validate::off}, input);
    CHECK_FALSE(outcome.lost);
    CHECK(outcome.error == Violation::none);
    CHECK(outcome.forwarded == input);
    REQUIRE_FALSE(outcome.controls.empty());
    CHECK(outcome.controls.back().payload == "p");
}

}  // namespace

TEST_CASE("a message of exactly the limit passes, one byte more is refused from its header") {
    const Side sender = GENERATE(Side::client, Side::backend);
    const Validate validate = GENERATE(Validate::off, Validate::frames, Validate::full);
    const std::uint64_t limit = GENERATE(as<std::uint64_t>(), 1, 60, 125, 126, 127, 65535, 65536);
    const std::string exact = frame(sender, kText, std::string(limit, 'a'));

    CHECK(check_scan(limited(sender, limit, validate), exact).forwarded == exact);
    expect_too_big(limited(sender, limit, validate), exact, Frame(sender, kText).claims(limit + 1));
}

TEST_CASE("a limit of 0 is no limit") {
    const std::string header = Frame(Side::client, kBinary).claims(INT64_MAX).header();
    CHECK(check_scan(limited(Side::client, 0), header).error == Violation::none);
}

TEST_CASE("the limit holds for the sum of the fragments") {
    const Side sender = GENERATE(Side::client, Side::backend);
    const ScanRules rules = limited(sender, 100);
    const std::string begun =
        fragment(sender, kBinary, std::string(60, 'x')) + fragment(sender, kContinuation);

    expect_too_big(rules, begun, Frame(sender, kContinuation).claims(41));
    const std::string exact = begun + frame(sender, kContinuation, std::string(40, 'x'));
    CHECK(check_scan(rules, exact).forwarded == exact);
    // The next message starts at zero.
    expect_too_big(rules, exact + frame(sender, kText, std::string(100, 'x')),
                   Frame(sender, kText).claims(101));
}

TEST_CASE("the sum of fragments does not overflow") {
    const std::uint64_t limit = GENERATE(100ull, 1ull << 62, (1ull << 63) - 1, ~0ull - 1);
    const std::string begun = fragment(Side::client, kBinary, std::string(60, 'x'));
    const ScanRules rules = limited(Side::client, limit);
    if (limit <= INT64_MAX)
        expect_too_big(rules, begun, Frame(Side::client, kContinuation).claims(INT64_MAX));
    const std::string top = Frame(Side::client, kContinuation).claims(UINT64_MAX).header();
    CHECK(check_scan(rules, begun + top).error == Violation::length_too_large);
    CHECK(check_scan(limited(Side::client, limit, Validate::off), begun + top).error ==
          Violation::message_too_big);
}

TEST_CASE("control frames do not count towards the limit") {
    const Side sender = GENERATE(Side::client, Side::backend);
    const std::string input =
        fragment(sender, kText, "ab") + frame(sender, kPing, std::string(125, 'p')) +
        frame(sender, kContinuation, "c") + frame(sender, kPong, std::string(125, 'p'));
    CHECK(check_scan(limited(sender, 3), input).forwarded == input);
}

TEST_CASE("with Validate Off a message that starts inside another counts towards the same limit") {
    const ScanRules rules = limited(Side::client, 100, Validate::off);
    const std::string begun = fragment(Side::client, kText, std::string(60, 'x'));
    expect_too_big(rules, begun, Frame(Side::client, kText).more_follows().claims(41));
    expect_too_big(rules, begun, Frame(Side::client, 3).claims(41));
}

TEST_CASE("with Validate Off everything that has a length is followed") {
    const Side sender = GENERATE(Side::client, Side::backend);
    const Side other_side = other(sender);
    expect_followed(sender, frame(other_side, kText, "mask of the other side"));
    expect_followed(sender, frame(other_side, kPong, "mask of the other side"));
    expect_followed(sender, Frame(sender, kBinary, "bits").rsv(7).bytes());
    expect_followed(sender, Frame(sender, kPong, "bits").rsv(7).bytes());
    expect_followed(sender, Frame(sender, kText, "length").extra_length_bytes(8).bytes());
    expect_followed(sender, Frame(sender, kPong, "fragment").more_follows().bytes());
    expect_followed(sender, frame(sender, kContinuation, "of nothing"));
    expect_followed(sender, fragment(sender, kText, "a") + frame(sender, kText, "b"));
    expect_followed(sender, frame(sender, kText, "\xFF\xFE"));
    for (unsigned opcode : {3u, 7u, 11u, 15u})
        expect_followed(sender, frame(sender, opcode, "reserved opcode"));
}

TEST_CASE("with Validate Off a Close of any payload is a Close") {
    const Side sender = GENERATE(Side::client, Side::backend);
    for (const std::string& close : {close_frame(sender, 999), frame(sender, kClose, "x")}) {
        const ScanOutcome outcome = check_scan({sender, Validate::off}, close);
        CHECK(outcome.error == Violation::none);
        CHECK(outcome.forwarded == close);
        CHECK(outcome.close_code != 0);
    }
}

TEST_CASE("with Validate Off the first Close is the one whose code counts") {
    const Side sender = GENERATE(Side::client, Side::backend);
    const std::string input =
        close_frame(sender, 1001) + close_frame(sender, 1002) + frame(sender, kClose);
    const ScanOutcome outcome = check_scan({sender, Validate::off}, input);
    CHECK(outcome.controls.size() == 1);
    CHECK(outcome.close_code == 1001);
}

TEST_CASE("with Validate Off a control frame of a reserved opcode is shown as it is") {
    const ScanOutcome outcome =
        check_scan({Side::client, Validate::off}, frame(Side::client, 12, "abc"));
    REQUIRE(outcome.controls.size() == 1);
    CHECK(outcome.controls[0].opcode == 12);
    CHECK(outcome.controls[0].payload == "abc");
}

TEST_CASE("with Validate Off a stream that cannot be followed passes unseen") {
    const Side sender = GENERATE(Side::client, Side::backend);
    const std::string good = frame(sender, kText, "good");
    for (unsigned opcode : {8u, 9u, 10u, 15u}) {
        expect_lost(sender, good, Frame(sender, opcode, std::string(126, 'x')).bytes());
        expect_lost(sender, good, Frame(sender, opcode).claims(65536).header());
        expect_lost(sender, good, Frame(sender, opcode).claims(UINT64_MAX).header());
        expect_lost(sender, good, Frame(sender, opcode, "abc").extra_length_bytes(2).bytes());
    }
    for (unsigned opcode : {0u, 1u, 2u, 3u})
        expect_lost(sender, good, Frame(sender, opcode).claims(1ull << 63).header());
}
