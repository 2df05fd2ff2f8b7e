// Validate::full: text messages are UTF-8 over all their fragments, Closes have a legal code and a
// readable reason.
#include <catch2/catch.hpp>

#include "support/frames.hpp"
#include "support/scanner_checks.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

const std::string kMixed =
    "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";  // one to four bytes per character

ScanRules full(Side sender, std::uint8_t allowed_rsv = 0) {
    return {sender, Validate::full, allowed_rsv, 0};
}

void expect_text_error(Side sender, const std::string& good, const std::string& bad) {
    CAPTURE(to_string(sender), hex(good), hex(bad));
    const ScanOutcome outcome = check_scan(full(sender), good + bad);
    CHECK(outcome.error == Violation::invalid_utf8);
    CHECK(outcome.forwarded == good);
}

void expect_good(const ScanRules& rules, const std::string& input) {
    CAPTURE(hex(input));
    const ScanOutcome outcome = check_scan(rules, input);
    CHECK(outcome.error == Violation::none);
    CHECK(outcome.forwarded == input);
}

}  // namespace

TEST_CASE("text passes when it is UTF-8, fragmented at any byte") {
    const Side sender = GENERATE(Side::client, Side::backend);
    for (std::size_t at = 0; at <= kMixed.size(); ++at)
        expect_good(full(sender), fragment(sender, kText, kMixed.substr(0, at)) +
                                      frame(sender, kPing, "\xFF") +
                                      frame(sender, kContinuation, kMixed.substr(at)));
}

TEST_CASE("text that is not UTF-8 is refused, fragmented at any byte") {
    const Side sender = GENERATE(Side::client, Side::backend);
    const std::string bad = GENERATE(as<std::string>(), "abc\xFF", "\xC0\xAF", "ok \xED\xA0\x80",
                                     "\xF4\x90\x80\x80", "\x80");
    expect_text_error(sender, frame(sender, kText, "good"), frame(sender, kText, bad));
    for (std::size_t at = 0; at <= bad.size(); ++at) {
        const std::string input = fragment(sender, kText, bad.substr(0, at)) +
                                  frame(sender, kContinuation, bad.substr(at));
        CHECK(check_scan(full(sender), input).error == Violation::invalid_utf8);
    }
}

TEST_CASE("a text message that ends inside a character is refused") {
    const Side sender = GENERATE(Side::client, Side::backend);
    for (const char* cut_off : {"\xC3", "\xE2\x82", "\xF0\x9F\x98", "abc\xE2"}) {
        expect_text_error(sender, "", frame(sender, kText, cut_off));
        expect_text_error(sender, fragment(sender, kText, cut_off), frame(sender, kContinuation));
        expect_good(full(sender), fragment(sender, kText, cut_off));
    }
}

TEST_CASE("the next message does not inherit half a character") {
    const Side sender = GENERATE(Side::client, Side::backend);
    const ScanRules rules = full(sender, 4);
    expect_good(rules, Frame(sender, kText, "\xC3").rsv(4).bytes() + frame(sender, kText, "a"));
    expect_good(rules, frame(sender, kBinary, "\xC3") + frame(sender, kText, "a"));
}

TEST_CASE(
    "when the text of a frame goes wrong after its header was forwarded, the bytes at hand are "
    "kept back") {
    const std::string input = frame(Side::client, kText,
                                    "0123456789\xFF"
                                    "0123456789");
    const ScanOutcome outcome = drive(full(Side::client), input, {10, 14});
    CHECK(outcome.error == Violation::invalid_utf8);
    CHECK(outcome.forwarded == input.substr(0, 14));
    CHECK_FALSE(outcome.at_boundary);
}

TEST_CASE("binary messages may hold anything") {
    const Side sender = GENERATE(Side::client, Side::backend);
    expect_good(full(sender), frame(sender, kBinary, "\xFF\xFE") +
                                  fragment(sender, kBinary, "\xC3") +
                                  frame(sender, kContinuation, "\xFF"));
}

TEST_CASE("no fragment of compressed text is checked") {
    const Side sender = GENERATE(Side::client, Side::backend);
    const std::string first = Frame(sender, kText, "\xFF\xC3").rsv(4).more_follows().bytes();
    expect_good(full(sender, 4), first + frame(sender, kContinuation, "\xFE"));

    const std::string plain = frame(sender, kText, "\xFF");
    CHECK(check_scan(full(sender, 4), plain).error == Violation::invalid_utf8);
}

TEST_CASE("a frame that an unknown extension has marked is not checked") {
    const Side sender = GENERATE(Side::client, Side::backend);
    const unsigned rsv = GENERATE(1u, 2u, 4u, 7u);
    expect_good(full(sender, 7),
                Frame(sender, kText, "\xFF").rsv(rsv).bytes() +
                    Frame(sender, kClose, close_payload(1, "\xFF")).rsv(rsv).bytes());
}

TEST_CASE("text is checked only when Validate is Full") {
    const Validate validate = GENERATE(Validate::off, Validate::frames);
    expect_good({Side::client, validate}, frame(Side::client, kText, "\xFF\xFE"));
}

TEST_CASE("long text is checked to its last byte") {
    const Side sender = GENERATE(Side::client, Side::backend);
    const std::size_t length = GENERATE(as<std::size_t>(), 125, 126, 127, 1000);
    std::string text(length, 'a');
    expect_good(full(sender), frame(sender, kText, text));
    for (std::size_t at :
         {std::size_t{0}, std::size_t{7}, std::size_t{8}, length / 2, length - 1}) {
        std::string bad = text;
        bad[at] = '\x80';
        expect_text_error(sender, "", frame(sender, kText, bad));
    }
}

TEST_CASE("a Close with a code that must not be sent is refused") {
    const Side sender = GENERATE(Side::client, Side::backend);
    for (unsigned code :
         {0u, 999u, 1004u, 1005u, 1006u, 1015u, 1016u, 1100u, 2999u, 5000u, 65535u}) {
        const std::string close = close_frame(sender, code, "reason");
        const ScanOutcome outcome = check_scan(full(sender), close);
        CAPTURE(code);
        CHECK(outcome.error == Violation::bad_close_code);
        CHECK(outcome.forwarded.empty());
        CHECK(outcome.close_code == 0);
        expect_good({sender, Validate::frames}, close);
    }
}

TEST_CASE("a Close with a code that may be sent passes") {
    const Side sender = GENERATE(Side::client, Side::backend);
    for (unsigned code :
         {1000u, 1001u, 1002u, 1003u, 1007u, 1011u, 1012u, 1014u, 3000u, 3999u, 4000u, 4999u})
        expect_good(full(sender), close_frame(sender, code, kMixed));
    expect_good(full(sender), frame(sender, kClose));
}

TEST_CASE("a Close with a reason that is not UTF-8 is refused") {
    const Side sender = GENERATE(Side::client, Side::backend);
    for (const char* reason : {"\xFF", "good until \xC3", "\xED\xA0\x80"}) {
        const std::string close = close_frame(sender, 1000, reason);
        expect_text_error(sender, frame(sender, kText, "a"), close);
        expect_good({sender, Validate::frames}, close);
    }
}

TEST_CASE("control frames inside a fragmented text do not disturb it") {
    const Side sender = GENERATE(Side::client, Side::backend);
    const std::string input = fragment(sender, kText, "\xE2\x82") + frame(sender, kPong, "\x82") +
                              frame(sender, kContinuation, "\xAC") +
                              close_frame(sender, 1000, kMixed);
    expect_good(full(sender), input);
}
