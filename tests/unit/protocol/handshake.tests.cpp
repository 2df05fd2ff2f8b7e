// The client's request, the extensions' reserved bits and the table of errors. The backend's
// response is in handshake_response.tests.cpp.
#include "protocol/handshake.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "support/handshakes.hpp"

using namespace wsp;
using namespace wsp::test;
using E = HandshakeError;

namespace {

constexpr RequestLine kGet{"GET", 1, 1, false};

struct RequestCase {
    const char* what;
    HeaderList headers;
    E error;
    RequestLine line = kGet;
};

void check_all(const std::vector<RequestCase>& cases) {
    for (const RequestCase& c : cases) {
        CAPTURE(c.what);
        const E error = check_request(c.line, c.headers);
        CHECK(text_of(error) == text_of(c.error));
    }
}

}  // namespace

TEST_CASE("a request that says Upgrade: websocket wants a tunnel") {
    for (const char* value :
         {"websocket", "WebSocket", "WEBSOCKET", " websocket ", "h2c, websocket", "websocket,foo"})
        CHECK(wants_websocket(HeaderList().with("upgrade", value)));
    for (const char* value : {"", "websockets", "web socket", "h2c", "websocket/13"})
        CHECK_FALSE(wants_websocket(HeaderList().with("Upgrade", value)));
    CHECK_FALSE(wants_websocket(HeaderList()));
    CHECK(wants_websocket(HeaderList().with("Upgrade", "h2c").and_also("Upgrade", "websocket")));
}

TEST_CASE("what browsers and libraries send is a good request") {
    const HeaderList good = good_request();
    check_all(std::vector<RequestCase>{
        {"RFC 6455's example", good, E::none},
        {"Firefox", good.with("Connection", "keep-alive, Upgrade"), E::none},
        {"several Connection fields",
         good.with("Connection", "keep-alive").and_also("Connection", "Upgrade"), E::none},
        {"old capitals", good.with("Upgrade", "WebSocket").with("Connection", "UPGRADE"), E::none},
        {"no spaces", good.with("Connection", "keep-alive,upgrade"), E::none},
        {"spaces around values",
         good.with("Sec-WebSocket-Key", std::string(" ") + kKey + "\t")
             .with("Sec-WebSocket-Version", " 13 "),
         E::none},
        {"lower-case names",
         HeaderList({{"host", "h"},
                     {"upgrade", "websocket"},
                     {"connection", "upgrade"},
                     {"sec-websocket-key", kKey},
                     {"sec-websocket-version", "13"}}),
         E::none},
        {"no Origin", good.without("Origin"), E::none},
        {"a Host with a port", good.with("Host", "[::1]:8080"), E::none},
        {"more than one protocol in Upgrade", good.with("Upgrade", "h2c, websocket"), E::none},
        {"a key of zeros", good.with("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="), E::none},
        {"subprotocols and extensions",
         good.with("Sec-WebSocket-Protocol", "chat")
             .with("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"),
         E::none},
        {"a later HTTP/1", good, E::none, {"GET", 1, 2, false}},
        {"a later HTTP", good, E::none, {"GET", 2, 0, false}},
    });
}

TEST_CASE("a request that breaks a rule is refused for it") {
    const HeaderList good = good_request();
    const auto key = [&good](const std::string& value) {
        return good.with("Sec-WebSocket-Key", value);
    };
    const auto version = [&good](const char* value) {
        return good.with("Sec-WebSocket-Version", value);
    };
    check_all(std::vector<RequestCase>{
        {"no headers", HeaderList(), E::not_an_upgrade},
        {"no Upgrade", good.without("Upgrade"), E::not_an_upgrade},
        {"another Upgrade", good.with("Upgrade", "h2c"), E::not_an_upgrade},
        {"an empty Upgrade", good.with("Upgrade", ""), E::not_an_upgrade},
        {"a longer word in Upgrade", good.with("Upgrade", "websockets"), E::not_an_upgrade},
        {"POST", good, E::method_not_get, {"POST", 1, 1, false}},
        {"HEAD", good, E::method_not_get, {"HEAD", 1, 1, false}},
        {"CONNECT", good, E::method_not_get, {"CONNECT", 1, 1, false}},
        {"lower-case get", good, E::method_not_get, {"get", 1, 1, false}},
        {"no method", good, E::method_not_get, {"", 1, 1, false}},
        {"HTTP/1.0", good, E::http_version, {"GET", 1, 0, false}},
        {"HTTP/0.9", good, E::http_version, {"GET", 0, 9, false}},
        {"no Host", good.without("Host"), E::no_host},
        {"an empty Host", good.with("Host", " "), E::no_host},
        {"a body", good, E::has_body, {"GET", 1, 1, true}},
        {"no Connection", good.without("Connection"), E::no_connection_upgrade},
        {"Connection: keep-alive", good.with("Connection", "keep-alive"), E::no_connection_upgrade},
        {"Connection: close", good.with("Connection", "close"), E::no_connection_upgrade},
        {"Connection: upgraded", good.with("Connection", "upgraded"), E::no_connection_upgrade},
        {"no key", good.without("Sec-WebSocket-Key"), E::no_key},
        {"an empty key", key(""), E::bad_key},
        {"a short key", key("dGhlIHNhbXBsZSBub25j"), E::bad_key},
        {"a long key", key("dGhlIHNhbXBsZSBub25jZWFh"), E::bad_key},
        {"a key without padding", key("dGhlIHNhbXBsZSBub25jZQ"), E::bad_key},
        {"a key with stray bits", key("dGhlIHNhbXBsZSBub25jZR=="), E::bad_key},
        {"a key in the URL alphabet", key("dGhlIHNhbXBsZSBub2_jZQ=="), E::bad_key},
        {"a key with a space", key("dGhlIHNhbXBsZSBub2 jZQ=="), E::bad_key},
        {"a key that is text", key("not base64 at all, sorry"), E::bad_key},
        {"two keys", good.and_also("Sec-WebSocket-Key", kKey), E::bad_key},
        {"no version", good.without("Sec-WebSocket-Version"), E::no_version},
        {"an empty version", version(""), E::bad_version},
        {"version 8", version("8"), E::bad_version},
        {"version 0", version("0"), E::bad_version},
        {"version 14", version("14"), E::bad_version},
        {"a list of versions", version("13, 8"), E::bad_version},
        {"two versions", good.and_also("Sec-WebSocket-Version", "13"), E::bad_version},
        {"version 013", version("013"), E::bad_version},
        {"version 13.0", version("13.0"), E::bad_version},
        {"version +13", version("+13"), E::bad_version},
    });
}

TEST_CASE("of several broken rules the first in the table is named") {
    // Each case mends one more thing.
    const RequestLine bad_line{"POST", 1, 0, true};
    HeaderList headers({{"Sec-WebSocket-Key", "?"}, {"Sec-WebSocket-Version", "8"}});
    CHECK(check_request(bad_line, headers) == E::not_an_upgrade);
    headers = headers.with("Upgrade", "websocket");
    CHECK(check_request(bad_line, headers) == E::method_not_get);
    CHECK(check_request({"GET", 1, 0, true}, headers) == E::http_version);
    CHECK(check_request({"GET", 1, 1, true}, headers) == E::no_host);
    headers = headers.with("Host", "h");
    CHECK(check_request({"GET", 1, 1, true}, headers) == E::has_body);
    CHECK(check_request(kGet, headers) == E::no_connection_upgrade);
    headers = headers.with("Connection", "Upgrade");
    CHECK(check_request(kGet, headers) == E::bad_key);
    headers = headers.with("Sec-WebSocket-Key", kKey);
    CHECK(check_request(kGet, headers) == E::bad_version);
}

TEST_CASE("the reserved bits are those of the extensions in use") {
    struct Case {
        const char* extensions;
        unsigned bits;
    };
    const Case cases[] = {
        {"", 0},
        {" , ", 0},
        {"permessage-deflate", 4},
        {"Permessage-Deflate", 4},
        {"permessage-deflate; client_max_window_bits=15", 4},
        {"permessage-deflate;server_no_context_takeover", 4},
        {"x-webkit-deflate-frame", 7},
        {"x-webkit-deflate-frame, permessage-deflate", 7},
        {"permessage-deflates", 7},
        {"mux", 7},
        {"permessage-deflate, mux; x=\"a,b\"", 7},
        {"x=\"permessage-deflate\"", 7},
    };
    for (const Case& c : cases) {
        CAPTURE(c.extensions);
        CHECK(rsv_bits_of_extensions(c.extensions) == c.bits);
    }
}

TEST_CASE("a handshake error blames the request with 4xx and the backend with 502") {
    const E of_requests[] = {E::not_an_upgrade, E::method_not_get, E::http_version,
                             E::no_host,        E::has_body,       E::no_connection_upgrade,
                             E::no_key,         E::bad_key,        E::no_version,
                             E::bad_version};
    const E of_backends[] = {E::backend_not_switching, E::backend_no_upgrade,
                             E::backend_no_connection, E::backend_no_accept,
                             E::backend_bad_accept,    E::backend_bad_protocol,
                             E::backend_bad_extension};
    std::set<std::string_view> texts{text_of(E::none)};
    for (E error : of_requests) {
        CHECK(row_of(error).http_status / 100 == 4);
        CHECK(row_of(error).level == LogLevel::info);  // any stranger can send it
        CHECK(texts.insert(text_of(error)).second);
    }
    for (E error : of_backends) {
        CHECK(row_of(error).http_status == 502);
        CHECK(row_of(error).level == LogLevel::warning);
        CHECK(texts.insert(text_of(error)).second);
    }
    CHECK(row_of(E::none).http_status == 101);
    CHECK(row_of(E::bad_version).http_status ==
          426);  // RFC 6455 4.2.2: with the versions that are spoken
}
