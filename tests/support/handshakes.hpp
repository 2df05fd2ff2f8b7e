// RFC 6455's example handshake (1.2, 1.3): the request and the response that tests vary.
#pragma once

#include "support/header_list.hpp"

namespace wsp::test {

constexpr const char* kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr const char* kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

inline HeaderList good_request() {
    return HeaderList({{"Host", "server.example.com"},
                       {"Upgrade", "websocket"},
                       {"Connection", "Upgrade"},
                       {"Sec-WebSocket-Key", kKey},
                       {"Origin", "http://example.com"},
                       {"Sec-WebSocket-Version", "13"}});
}

inline HeaderList good_response() {
    return HeaderList(
        {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", kAccept}});
}

}  // namespace wsp::test
