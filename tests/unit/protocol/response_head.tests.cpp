// A response head taken apart, and what is made of lines that do not belong into one.
#include "protocol/response_head.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace wsp;

namespace {

const std::string kStatus = "HTTP/1.1 403 Forbidden\r\n";

HeadFault parse(const std::string& text, BadHeader bad_header = BadHeader::is_error) {
    ResponseHead head;
    return parse_response_head(text, head, bad_header);
}

}  // namespace

TEST_CASE("a head is taken apart", "[response_head]") {
    const std::string text = "HTTP/1.0 101 Switching  Protocols \r\nA: b\r\nc:d:e \nF:\r\n\r\nbody";
    ResponseHead head;
    REQUIRE(parse_response_head(text, head) == HeadFault::none);
    CHECK((head.http_major == 1 && head.http_minor == 0 && head.status == 101));
    CHECK(head.reason == "Switching  Protocols");
    REQUIRE(head.fields.size() == 3);
    CHECK((head.fields[0].name == "A" && head.fields[0].value == "b"));
    CHECK((head.fields[1].name == "c" && head.fields[1].value == "d:e"));
    CHECK((head.fields[2].name == "F" && head.fields[2].value.empty()));
    CHECK(head.ignored_lines == 0);
}

TEST_CASE("only HTTP/1.x is HTTP/1.x", "[response_head]") {
    for (const char* line :
         {"", "HTTP/1.1", "HTTP/1.1 10", "HTTP/1.1 1000", "HTTP/1.1 abc", "HTTP/2.0 200 OK",
          "HTTP/1.1 099 Odd", "http/1.1 200 OK", "HTTP/1.1  200 OK", "SSH-2.0-x"}) {
        INFO(line);
        ResponseHead head;
        CHECK(parse_response_head(std::string(line) + "\r\n\r\n", head) == HeadFault::not_http);
        CHECK(head.status == 0);
    }
}

TEST_CASE("the kinds of lines", "[response_head]") {
    CHECK(kind_of_line("Name: value") == LineKind::field);
    CHECK(kind_of_line("Name:") == LineKind::field);
    CHECK(kind_of_line(" folded: value") == LineKind::continuation);
    CHECK(kind_of_line("\tfolded") == LineKind::continuation);
    CHECK(kind_of_line("HTTP/1.0 200 OK") == LineKind::status);
    CHECK(kind_of_line("HTTP/1.0 200 It's: fine") == LineKind::status);
    CHECK(kind_of_line("HTTP/1.0 2000") == LineKind::other);
    for (const char* line :
         {"no colon", ": no name", "Name : value", "N\xc3\xa4me: value", "<p>"}) {
        INFO(line);
        CHECK(kind_of_line(line) == LineKind::other);
    }
}

TEST_CASE("lines that are no fields are refused or left out", "[response_head]") {
    const std::string text = kStatus + "A: b\r\nno field\r\nContent-Length : 7\r\nC: d\r\n\r\n";
    CHECK(parse(text) == HeadFault::bad_field);
    CHECK(parse(text, BadHeader::start_body) == HeadFault::bad_field);
    ResponseHead head;
    REQUIRE(parse_response_head(text, head, BadHeader::ignore) == HeadFault::none);
    CHECK(head.ignored_lines == 2);
    REQUIRE(head.fields.size() == 2);
    CHECK(head.fields[1].name == "C");
}

TEST_CASE("another status line is left out in any case", "[response_head]") {
    const std::string text = kStatus + "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
    for (const BadHeader each : {BadHeader::is_error, BadHeader::ignore, BadHeader::start_body}) {
        ResponseHead head;
        REQUIRE(parse_response_head(text, head, each) == HeadFault::none);
        CHECK((head.status == 403 && head.ignored_lines == 1 && head.fields.size() == 1));
    }
}

TEST_CASE("continuations and control characters are refused in any case", "[response_head]") {
    for (const BadHeader each : {BadHeader::is_error, BadHeader::ignore, BadHeader::start_body}) {
        CHECK(parse(kStatus + "A: b\r\n c\r\n\r\n", each) == HeadFault::bad_field);
        CHECK(parse(kStatus + std::string("A: \0b\r\n\r\n", 9), each) == HeadFault::bad_octet);
        CHECK(parse(kStatus + "A: b\rc\r\n\r\n", each) == HeadFault::bad_octet);
    }
}

TEST_CASE("of a head that is no good the status remains", "[response_head]") {
    ResponseHead head;
    CHECK(parse_response_head(kStatus + "no field\r\n\r\n", head) == HeadFault::bad_field);
    CHECK(head.status == 403);
}
