// Text of strangers in logs and pages.
#include "protocol/clean_text.hpp"

#include <catch2/catch.hpp>

using namespace wsp;

TEST_CASE("text without control characters stays as it is") {
    CHECK(clean_text("", 10).empty());
    CHECK(clean_text("going away", 100) == "going away");
    CHECK(clean_text("a\"b\\c<d>", 100) == "a\"b\\c<d>");
    CHECK(clean_text("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 100) ==
          "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
}

TEST_CASE("control characters become spaces, and bytes that are no UTF-8 question marks") {
    CHECK(clean_text(std::string_view("a\0b\r\nc\x1B[2J\x7F.", 12), 100) == "a b  c [2J .");
    CHECK(clean_text("a\xC2\x9B"
                     "b\xC2\xA0.",
                     100) == "a b\xC2\xA0.");
    CHECK(clean_text("a\xFF\xC0\xAF\xED\xA0\x80z", 100) == "a??????z");
    CHECK(clean_text("cut \xE2\x82", 100) == "cut ??");
}

TEST_CASE("clean text is trimmed") {
    CHECK(clean_text(" \t a b \n", 100) == "a b");
    CHECK(clean_text("\n\n", 100).empty());
}

TEST_CASE("clean text has whole characters within its bound") {
    CHECK(clean_text("abcdef", 3) == "abc");
    CHECK(clean_text("ab\xE2\x82\xAC", 4) == "ab");
    CHECK(clean_text("ab\xE2\x82\xAC", 5) == "ab\xE2\x82\xAC");
    CHECK(clean_text("ab  cd", 4) == "ab");
}
