// Each framing rule, broken by each opcode, at each class of length, by both senders. The frame in
// front of the bad one is forwarded, nothing of the bad one is.
#include <catch2/catch.hpp>

#include "support/frames.hpp"
#include "support/scanner_checks.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

constexpr std::uint64_t kHuge = 1ull << 40;
constexpr std::uint64_t kTopBit = 1ull << 63;
constexpr std::uint64_t kLengths[] = {0, 1, 125, 126, 127, 65535, 65536, kHuge, INT64_MAX};
constexpr unsigned kKnownOpcodes[] = {kContinuation, kText, kBinary, kClose, kPing, kPong};
constexpr unsigned kDataOpcodes[] = {kText, kBinary};
constexpr unsigned kControlOpcodes[] = {kClose, kPing, kPong};
constexpr unsigned kReservedOpcodes[] = {3, 4, 5, 6, 7, 11, 12, 13, 14, 15};
constexpr Side kSenders[] = {Side::client, Side::backend};
constexpr Validate kJudging[] = {Validate::frames, Validate::full};

void expect_error(const ScanRules& rules, const std::string& good, const std::string& bad,
                  Violation error) {
    CAPTURE(to_string(rules.sender), hex(good), hex(bad), name_of(error));
    const ScanOutcome outcome = check_scan(rules, good + bad);
    CHECK(outcome.error == error);
    CHECK(outcome.forwarded == good);
    CHECK(outcome.at_boundary);
}

void expect_good(const ScanRules& rules, const std::string& input) {
    CAPTURE(to_string(rules.sender), hex(input));
    const ScanOutcome outcome = check_scan(rules, input);
    CHECK(outcome.error == Violation::none);
    CHECK(outcome.forwarded == input);
}

// Something good that lets a frame of `opcode` follow.
std::string before(Side sender, unsigned opcode) {
    return opcode == kContinuation ? fragment(sender, kBinary, "ab") : frame(sender, kBinary, "ab");
}

}  // namespace

TEST_CASE("reserved bits without an extension are a protocol error") {
    for (Side sender : kSenders) {
        for (unsigned opcode : kKnownOpcodes) {
            for (std::uint64_t length : kLengths) {
                for (unsigned rsv = 1; rsv <= 7; ++rsv)
                    expect_error({sender}, before(sender, opcode),
                                 Frame(sender, opcode).claims(length).rsv(rsv).header(),
                                 Violation::reserved_bits);
            }
        }
    }
}

TEST_CASE(
    "with permessage-deflate RSV1 may be set on the first frame of a message, and only there") {
    for (Side sender : kSenders) {
        const ScanRules rules{sender, Validate::frames, 4};
        for (unsigned opcode : kKnownOpcodes) {
            for (unsigned rsv = 1; rsv <= 7; ++rsv) {
                const std::string bytes = Frame(sender, opcode, "").rsv(rsv).bytes();
                if (rsv == 4 && (opcode == kText || opcode == kBinary))
                    expect_good(rules, before(sender, opcode) + bytes);
                else
                    expect_error(rules, before(sender, opcode), bytes, Violation::reserved_bits);
            }
        }
    }
}

TEST_CASE("with an unknown extension any reserved bit may be set on any frame") {
    for (Side sender : kSenders) {
        for (unsigned opcode : kKnownOpcodes) {
            for (unsigned rsv = 1; rsv <= 7; ++rsv)
                expect_good({sender, Validate::frames, 7},
                            before(sender, opcode) + Frame(sender, opcode, "").rsv(rsv).bytes());
        }
    }
}

TEST_CASE("reserved opcodes are a protocol error") {
    for (Side sender : kSenders) {
        for (unsigned opcode : kReservedOpcodes) {
            for (std::uint64_t length : kLengths)
                expect_error({sender}, before(sender, opcode),
                             Frame(sender, opcode).claims(length).header(),
                             Violation::reserved_opcode);
        }
    }
}

TEST_CASE("a client's frame without a mask and a backend's frame with one are protocol errors") {
    for (Side sender : kSenders) {
        const bool masked = sender == Side::backend;
        for (unsigned opcode : kKnownOpcodes) {
            for (std::uint64_t length : kLengths)
                expect_error({sender}, before(sender, opcode),
                             Frame(sender, opcode).claims(length).masked(masked).header(),
                             masked ? Violation::masked_frame : Violation::unmasked_frame);
        }
    }
}

TEST_CASE("a length in more bytes than it needs is a protocol error") {
    for (Side sender : kSenders) {
        for (unsigned opcode : kKnownOpcodes) {
            for (std::uint64_t length : {0, 1, 125})
                expect_error({sender}, before(sender, opcode),
                             Frame(sender, opcode).claims(length).extra_length_bytes(2).header(),
                             Violation::length_not_minimal);
            for (std::uint64_t length : {0, 1, 125, 126, 127, 65535})
                expect_error({sender}, before(sender, opcode),
                             Frame(sender, opcode).claims(length).extra_length_bytes(8).header(),
                             Violation::length_not_minimal);
        }
    }
}

TEST_CASE("a length with its top bit set is a protocol error") {
    for (Side sender : kSenders) {
        for (unsigned opcode : kKnownOpcodes) {
            for (std::uint64_t length : {kTopBit, kTopBit | 1, UINT64_MAX})
                expect_error({sender}, before(sender, opcode),
                             Frame(sender, opcode).claims(length).header(),
                             Violation::length_too_large);
        }
    }
}

TEST_CASE("a fragmented control frame is a protocol error") {
    for (Side sender : kSenders) {
        for (unsigned opcode : kControlOpcodes) {
            for (std::uint64_t length : kLengths)
                expect_error({sender}, before(sender, opcode),
                             Frame(sender, opcode).more_follows().claims(length).header(),
                             Violation::control_fragmented);
        }
    }
}

TEST_CASE("a control frame of more than 125 bytes is a protocol error") {
    for (Side sender : kSenders) {
        for (unsigned opcode : kControlOpcodes) {
            for (std::uint64_t length : {std::uint64_t{126}, std::uint64_t{127},
                                         std::uint64_t{65535}, std::uint64_t{65536}, kHuge})
                expect_error({sender}, before(sender, opcode),
                             Frame(sender, opcode).claims(length).header(),
                             Violation::control_too_long);
        }
    }
}

TEST_CASE("a continuation frame without a message is a protocol error") {
    for (Side sender : kSenders) {
        for (std::uint64_t length : kLengths) {
            for (bool fin : {false, true}) {
                const std::string bad =
                    Frame(sender, kContinuation).fin(fin).claims(length).header();
                expect_error({sender}, "", bad, Violation::unexpected_continuation);
                expect_error({sender}, fragment(sender, kText) + frame(sender, kContinuation), bad,
                             Violation::unexpected_continuation);
            }
        }
    }
}

TEST_CASE("a new message inside a fragmented one is a protocol error") {
    for (Side sender : kSenders) {
        for (unsigned opcode : kDataOpcodes) {
            for (std::uint64_t length : kLengths) {
                for (bool fin : {false, true})
                    expect_error({sender}, fragment(sender, kText, "ab") + frame(sender, kPing),
                                 Frame(sender, opcode).fin(fin).claims(length).header(),
                                 Violation::expected_continuation);
            }
        }
    }
}

TEST_CASE("everything after a Close passes unchecked and uncounted") {
    for (Side sender : kSenders) {
        for (Validate validate : {Validate::off, Validate::frames, Validate::full}) {
            for (unsigned opcode = 0; opcode < 16; ++opcode) {
                for (std::uint64_t length : kLengths) {
                    const std::string before =
                        frame(sender, kText, "a") + close_frame(sender, 1000);
                    const std::string input =
                        before + Frame(sender, opcode).claims(length).header() + "\xFF junk";
                    const ScanOutcome seen = drive({sender, validate}, input);
                    REQUIRE(seen.broken_contract == "");
                    REQUIRE(seen.error == Violation::none);
                    REQUIRE(seen.forwarded == input);
                    REQUIRE(seen.messages == 1);
                    REQUIRE(seen.controls.size() == 1);
                    REQUIRE(seen.close_code == 1000);
                    REQUIRE_FALSE(seen.at_boundary);
                }
            }
        }
    }
}

TEST_CASE("a Close payload of one byte is a protocol error") {
    for (Side sender : kSenders) {
        for (Validate validate : kJudging)
            expect_error({sender, validate}, frame(sender, kText, "a"),
                         frame(sender, kClose, "\x03"), Violation::close_payload_of_one_byte);
    }
}

TEST_CASE("the payload of Ping and Pong is not checked") {
    for (Side sender : kSenders) {
        for (unsigned opcode : {kPing, kPong})
            expect_good({sender, Validate::full},
                        frame(sender, opcode, "\xFF") + frame(sender, opcode, "\xC0\x80\xFE"));
    }
}

TEST_CASE("every legal header is accepted") {
    for (Side sender : kSenders) {
        for (Validate validate : {Validate::off, Validate::frames, Validate::full}) {
            for (unsigned opcode : {kContinuation, kText, kBinary}) {
                for (std::uint64_t length : kLengths) {
                    for (bool fin : {false, true})
                        expect_good({sender, validate},
                                    before(sender, opcode) +
                                        Frame(sender, opcode).fin(fin).claims(length).header());
                }
            }
        }
    }
}

TEST_CASE("the first rule that is broken is the one that is named") {
    struct Case {
        Frame bad;
        Violation error;
    };
    const Case cases[] = {
        {Frame(Side::backend, 3).rsv(1).fin(false).claims(126), Violation::reserved_bits},
        {Frame(Side::backend, 11).fin(false).claims(126), Violation::reserved_opcode},
        {Frame(Side::backend, kPing).fin(false).claims(1).extra_length_bytes(2),
         Violation::unmasked_frame},
        {Frame(Side::client, kPing).fin(false).claims(1).extra_length_bytes(2),
         Violation::length_not_minimal},
        {Frame(Side::client, kPing).fin(false).claims(kTopBit), Violation::length_too_large},
        {Frame(Side::client, kPing).fin(false).claims(126), Violation::control_fragmented},
    };
    for (const Case& c : cases)
        expect_error({Side::client}, frame(Side::client, kText), c.bad.header(), c.error);
}

namespace {

// Every first byte with every class of second byte behind `front`.
void check_all_headers(const ScanRules& rules, const std::string& front) {
    for (unsigned first = 0; first < 256; ++first) {
        for (unsigned second : {0u, 1u, 125u, 126u, 127u, 128u, 129u, 253u, 254u, 255u}) {
            std::string input = front + static_cast<char>(first) + static_cast<char>(second);
            input.append("\0\0\0\0\0\1\0\0\0\0\0\0", 12);
            const std::string found =
                difference(reference_parse(rules, input), drive(rules, input), input);
            if (!found.empty())
                FAIL(hex(input) << ": " << found);
        }
    }
}

}  // namespace

TEST_CASE("every combination of header bits is judged as the reference parser judges it") {
    const Side sender = GENERATE(Side::client, Side::backend);
    const Validate validate = GENERATE(Validate::off, Validate::frames, Validate::full);
    const std::uint8_t allowed = GENERATE(as<std::uint8_t>(), 0, 4, 6, 7);
    const ScanRules rules{sender, validate, allowed, 70000};
    check_all_headers(rules, "");
    check_all_headers(rules, fragment(sender, kText, "a"));
    check_all_headers(rules, close_frame(sender, 1000));
    SUCCEED();
}
