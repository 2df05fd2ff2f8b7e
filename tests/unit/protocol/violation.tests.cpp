// What holds for every row of violations.def.
#include "protocol/violation.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "protocol/close_code.hpp"

using namespace wsp;

namespace {

constexpr Violation kAll[] = {
#define WSP_ROW(name, ...) Violation::name,
#include "protocol/violations.def"
};

}  // namespace

TEST_CASE("every error has a close code that may be sent") {
    for (Violation error : kAll) {
        CAPTURE(name_of(error));
        CHECK(may_be_sent(close_code_of(error)));
    }
}

TEST_CASE("every error has a text of its own") {
    std::set<std::string_view> texts;
    for (Violation error : kAll) {
        CAPTURE(name_of(error));
        CHECK(texts.insert(text_of(error)).second);
        CHECK_FALSE(text_of(error).empty());
    }
}

TEST_CASE("what a peer is told fits whole into a Close and names no directive") {
    for (Violation error : kAll) {
        CAPTURE(name_of(error));
        CHECK_FALSE(close_reason_of(error).empty());
        CHECK(close_reason_of(error).size() <=
              123);  // RFC 6455 5.5: 125 bytes, two of them for the code
        CHECK(close_reason_of(error).find("Proxy") == std::string_view::npos);
    }
}

TEST_CASE("an error that blames the protocol names the section of the RFC") {
    for (Violation error : kAll) {
        const auto code = close_code_of(error);
        if (code != kCloseProtocolError && code != kCloseInvalidPayload)
            continue;
        CAPTURE(name_of(error));
        CHECK(text_of(error).find("(RFC 6455 ") != std::string_view::npos);
    }
}

TEST_CASE("close codes and names are those of the table") {
    CHECK(close_code_of(Violation::none) == 1000);
    CHECK(close_code_of(Violation::reserved_bits) == 1002);
    CHECK(close_code_of(Violation::invalid_utf8) == 1007);
    CHECK(close_code_of(Violation::message_rate) == 1008);
    CHECK(close_code_of(Violation::message_too_big) == 1009);
    CHECK(name_of(Violation::control_too_long) == "control_too_long");
    CHECK(name_of(kAll[sizeof kAll / sizeof kAll[0] - 1]) == "message_rate");
}
