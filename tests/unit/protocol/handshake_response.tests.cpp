// What the backend's 101 has to say for the handshake to be complete.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "protocol/handshake.hpp"
#include "support/handshakes.hpp"

using namespace wsp;
using namespace wsp::test;
using E = HandshakeError;

namespace {

struct ResponseCase {
    const char* what;
    HeaderList response;
    E error;
    HeaderList request = good_request();
    int status = 101;
};

void check_all(const std::vector<ResponseCase>& cases) {
    for (const ResponseCase& c : cases) {
        CAPTURE(c.what);
        const E error = check_response(c.request, c.status, c.response);
        CHECK(text_of(error) == text_of(c.error));
    }
}

HeaderList offering(const char* header, const std::string& value) {
    return good_request().with(header, value);
}

HeaderList choosing(const char* header, const std::string& value) {
    return good_response().with(header, value);
}

}  // namespace

TEST_CASE("a response that completes the handshake is good") {
    const HeaderList good = good_response();
    check_all(std::vector<ResponseCase>{
        {"RFC 6455's example", good, E::none},
        {"other capitals", good.with("Upgrade", "WebSocket").with("Connection", "upgrade"),
         E::none},
        {"more in Connection", good.with("Connection", "keep-alive, Upgrade"), E::none},
        {"spaces around the accept value",
         choosing("Sec-WebSocket-Accept", std::string("  ") + kAccept + " "), E::none},
        {"spaces around the client's key", good, E::none,
         offering("Sec-WebSocket-Key", std::string(" ") + kKey)},
        {"no subprotocol, though offered", good, E::none,
         offering("Sec-WebSocket-Protocol", "chat")},
        {"no extension, though offered", good, E::none,
         offering("Sec-WebSocket-Extensions", "permessage-deflate")},
        {"an empty list of extensions", choosing("Sec-WebSocket-Extensions", ""), E::none},
    });
}

TEST_CASE("a response that does not complete the handshake is refused") {
    const HeaderList good = good_response();
    const auto accept = [](const std::string& value) {
        return choosing("Sec-WebSocket-Accept", value);
    };
    check_all(std::vector<ResponseCase>{
        {"200", good, E::backend_not_switching, good_request(), 200},
        {"100", good, E::backend_not_switching, good_request(), 100},
        {"401", good, E::backend_not_switching, good_request(), 401},
        {"no Upgrade", good.without("Upgrade"), E::backend_no_upgrade},
        {"an empty Upgrade", good.with("Upgrade", ""), E::backend_no_upgrade},
        {"another Upgrade", good.with("Upgrade", "h2c"), E::backend_no_upgrade},
        {"a list in Upgrade", good.with("Upgrade", "h2c, websocket"), E::backend_no_upgrade},
        {"no Connection", good.without("Connection"), E::backend_no_connection},
        {"Connection: close", good.with("Connection", "close"), E::backend_no_connection},
        {"no accept value", good.without("Sec-WebSocket-Accept"), E::backend_no_accept},
        {"an empty accept value", accept(""), E::backend_bad_accept},
        {"the key instead of its hash", accept(kKey), E::backend_bad_accept},
        {"another key's hash", accept("Kfh9QIsMVZcl6xEPYxPHzW8SZ8w="), E::backend_bad_accept},
        {"the hash in other capitals", accept("S3PPLMBITXAQ9KYGZZHZRBK+XOO="),
         E::backend_bad_accept},
        {"more behind the hash", accept(std::string(kAccept) + "="), E::backend_bad_accept},
        {"the hash twice", good.and_also("Sec-WebSocket-Accept", kAccept), E::backend_bad_accept},
        {"a hash without a key", good, E::backend_bad_accept,
         good_request().without("Sec-WebSocket-Key")},
    });
}

TEST_CASE("the subprotocol is one of those offered, with the same capitals") {
    struct Case {
        const char* offered;  // nullptr for no header
        const char* chosen;
        E error;
    };
    const Case cases[] = {
        {"chat", "chat", E::none},
        {"chat, superchat", "superchat", E::none},
        {"chat,superchat", " chat ", E::none},
        {"v1.json, v2.json", "v2.json", E::none},
        {"chat, superchat", "SuperChat", E::backend_bad_protocol},
        {"Chat", "chat", E::backend_bad_protocol},
        {"chat", "other", E::backend_bad_protocol},
        {"chat, superchat", "chat, superchat", E::backend_bad_protocol},
        {"superchat", "chat", E::backend_bad_protocol},
        {"chat", "", E::backend_bad_protocol},
        {"", "", E::backend_bad_protocol},
        {nullptr, "chat", E::backend_bad_protocol},
        {nullptr, "", E::backend_bad_protocol},
    };
    for (const Case& c : cases) {
        CAPTURE(c.offered ? c.offered : "(none)", c.chosen);
        const HeaderList request =
            c.offered ? offering("Sec-WebSocket-Protocol", c.offered) : good_request();
        CHECK(check_response(request, 101, choosing("Sec-WebSocket-Protocol", c.chosen)) ==
              c.error);
    }
}

TEST_CASE("subprotocols offered in several fields count together") {
    const HeaderList request =
        offering("Sec-WebSocket-Protocol", "chat").and_also("Sec-WebSocket-Protocol", "graphql-ws");
    CHECK(check_response(request, 101, choosing("Sec-WebSocket-Protocol", "graphql-ws")) ==
          E::none);
}

TEST_CASE("a subprotocol in two fields of a response is refused") {
    const HeaderList request = offering("Sec-WebSocket-Protocol", "chat, superchat");
    const HeaderList response =
        choosing("Sec-WebSocket-Protocol", "chat").and_also("Sec-WebSocket-Protocol", "chat");
    CHECK(check_response(request, 101, response) == E::backend_bad_protocol);
}

TEST_CASE("every extension is one of those offered, whatever its parameters") {
    const std::string deflate = "permessage-deflate";
    struct Case {
        std::string offered;
        std::string chosen;
        E error;
    };
    const Case cases[] = {
        {deflate, deflate, E::none},
        {deflate + "; client_max_window_bits", deflate + "; server_no_context_takeover", E::none},
        {deflate + ";a=\"1,2\", foo", deflate + " ; b=\"x;y, z\" , foo;q=1", E::none},
        {"foo, bar, " + deflate, deflate + ", foo", E::none},
        {"foo", "foo, foo", E::none},
        {"Foo", "foo", E::none},
        {"foo", "bar", E::backend_bad_extension},
        {"foo", "foo, bar", E::backend_bad_extension},
        {"foo; bar", "bar", E::backend_bad_extension},
        {"foo; x=\"a, bar\"", "bar", E::backend_bad_extension},
        {"foobar", "foo", E::backend_bad_extension},
        {"", deflate, E::backend_bad_extension},
        {"; x", "; x", E::backend_bad_extension},
    };
    for (const Case& c : cases) {
        CAPTURE(c.offered, c.chosen);
        const HeaderList request = offering("Sec-WebSocket-Extensions", c.offered);
        CHECK(check_response(request, 101, choosing("Sec-WebSocket-Extensions", c.chosen)) ==
              c.error);
    }
    CHECK(check_response(good_request(), 101, choosing("Sec-WebSocket-Extensions", deflate)) ==
          E::backend_bad_extension);
}
