// Comma-separated header values.
#include "protocol/header_tokens.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace wsp;

namespace {

std::vector<std::string> elements_of(std::string_view list) {
    std::vector<std::string> elements;
    std::string_view element;
    while (next_element(list, element))
        elements.emplace_back(element);
    return elements;
}

}  // namespace

TEST_CASE("equality does not see the case of ASCII letters, and of nothing else") {
    CHECK(iequals("", ""));
    CHECK(iequals("WebSocket", "wEBsOCKET"));
    CHECK(iequals("azAZ09-", "AZaz09-"));
    CHECK_FALSE(iequals("a", ""));
    CHECK_FALSE(iequals("a", "ab"));
    CHECK_FALSE(iequals("@", "`"));        // next to 'A' and 'a'
    CHECK_FALSE(iequals("[", "{"));        // next to 'Z' and 'z'
    CHECK_FALSE(iequals("\xC9", "\xE9"));  // Latin-1 letters
}

TEST_CASE("trimming takes spaces and tabs off both ends and nothing else") {
    CHECK(trim("") == "");
    CHECK(trim(" \t ") == "");
    CHECK(trim("\t a b \t") == "a b");
    CHECK(trim("a") == "a");
    CHECK(trim("\r\na\n") == "\r\na\n");
}

TEST_CASE("a list is split at its commas") {
    using List = std::vector<std::string>;
    struct Case {
        const char* list;
        List elements;
    };
    const Case cases[] = {
        {"", {}},
        {" ", {}},
        {",", {}},
        {" , ,\t,", {}},
        {"a", {"a"}},
        {"a,b", {"a", "b"}},
        {" a ,\tb , c", {"a", "b", "c"}},
        {",,a,,b,,", {"a", "b"}},
        {"a b, c", {"a b", "c"}},
        {"x; p=1; q, y", {"x; p=1; q", "y"}},
        {"x; p=\"1,2\", y", {"x; p=\"1,2\"", "y"}},
        {"x; p=\"a\\\",b\", y", {"x; p=\"a\\\",b\"", "y"}},
        {"x; p=\"\\\\\", y", {"x; p=\"\\\\\"", "y"}},
        {"x; p=\"never closed, y", {"x; p=\"never closed, y"}},
        {"x; p=\"ends with \\", {"x; p=\"ends with \\"}},
        {"back\\, slash", {"back\\", "slash"}},
    };
    for (const Case& c : cases) {
        CAPTURE(c.list);
        CHECK(elements_of(c.list) == c.elements);
    }
}

TEST_CASE("a list is eaten from the front, element by element") {
    std::string_view list = "one , two";
    std::string_view element;
    REQUIRE(next_element(list, element));
    CHECK(element == "one");
    REQUIRE(next_element(list, element));
    CHECK(element == "two");
    CHECK(list.empty());
    CHECK_FALSE(next_element(list, element));
}

TEST_CASE("a token is found as a whole element of any case") {
    struct Case {
        const char* list;
        const char* token;
        bool found;
    };
    const Case cases[] = {
        {"upgrade", "upgrade", true},
        {"Upgrade", "upgrade", true},
        {"keep-alive, Upgrade", "upgrade", true},
        {"keep-alive,Upgrade", "upgrade", true},
        {"upgrade , close", "UPGRADE", true},
        {",,upgrade,", "upgrade", true},
        {"upgraded", "upgrade", false},
        {"up grade", "upgrade", false},
        {"upgrad", "upgrade", false},
        {"keep-alive", "upgrade", false},
        {"x=\"a, upgrade, b\"", "upgrade", false},
        {"upgrade; q=1", "upgrade", false},
        {"", "upgrade", false},
        {"", "", false},
        {", ,", "", false},
    };
    for (const Case& c : cases) {
        CAPTURE(c.list, c.token);
        CHECK(has_token(c.list, c.token) == c.found);
    }
}

TEST_CASE("a list cut short at any place is split without reading on") {
    const std::string list = "a, b; p=\"x, \\\"y\" ,, c";
    for (std::size_t size = 0; size <= list.size(); ++size) {
        const std::vector<char> exact(list.begin(),
                                      list.begin() + static_cast<std::ptrdiff_t>(size));
        const auto elements = elements_of({exact.data(), exact.size()});
        CHECK(elements.size() <= 3);
    }
}
