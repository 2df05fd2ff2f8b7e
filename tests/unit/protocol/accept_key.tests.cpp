// Sec-WebSocket-Key and Sec-WebSocket-Accept.
#include "protocol/accept_key.hpp"

#include <catch2/catch.hpp>

using namespace wsp;

TEST_CASE("the accept value for RFC 6455's example key is the one in RFC 6455") {
    CHECK(accept_for_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");  // 1.3
}

TEST_CASE("an accept value has 28 characters") {
    CHECK(accept_for_key("").size() == 28);
    CHECK(accept_for_key("AAAAAAAAAAAAAAAAAAAAAA==").size() == 28);
    CHECK(accept_for_key("AAAAAAAAAAAAAAAAAAAAAA==") != accept_for_key("AAAAAAAAAAAAAAAAAAAAAQ=="));
}

TEST_CASE("a key is base64 of exactly 16 bytes") {
    struct Case {
        const char* key;
        bool valid;
    };
    const Case cases[] = {
        {"dGhlIHNhbXBsZSBub25jZQ==", true},
        {"AAAAAAAAAAAAAAAAAAAAAA==", true},
        {"/////////////////////w==", true},
        {"++++++++++++++++++++0g==", true},
        {"09azAZ09azAZ09azAZ09aA==", true},
        {"", false},
        {"==", false},
        {"dGhlIHNhbXBsZSBub25jZQ", false},     // no padding
        {"dGhlIHNhbXBsZSBub25jZQ=", false},    // half of it
        {"dGhlIHNhbXBsZSBub25jZQ===", false},  // too much of it
        {"dGhlIHNhbXBsZSBub25jZR==", false},   // stray bits in the last character
        {"dGhlIHNhbXBsZSBub25jZWE=", false},   // 17 bytes
        {"dGhlIHNhbXBsZSBub25jZWFh", false},   // 18 bytes
        {"dGhlIHNhbXBsZSBub25j", false},       // 15 bytes
        {"dGhlIHNhbXBsZSBub25jZA========", false},
        {"dGhlIHNhbXBsZSBub2=jZQ==", false},  // '=' inside
        {"dGhlIHNhbXBsZSBub2-jZQ==", false},  // the URL alphabet
        {"dGhlIHNhbXBsZSBub2_jZQ==", false},
        {"dGhlIHNhbXBsZSBub2 jZQ==", false},
        {" dGhlIHNhbXBsZSBub25jZQ==", false},
        {"dGhlIHNhbXBsZSBub25jZQ== ", false},
        {"dGhlIHNhbXBsZSBub2\xC3\xA9ZQ==", false},
        {"dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==", false},
    };
    for (const Case& c : cases) {
        CAPTURE(c.key);
        CHECK(is_valid_key(c.key) == c.valid);
    }
}

TEST_CASE("only the four last characters without extra bits are valid") {
    const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string accepted;
    for (char last : alphabet) {
        if (is_valid_key(std::string(21, 'A') + last + "=="))
            accepted += last;
    }
    CHECK(accepted == "AQgw");
}
