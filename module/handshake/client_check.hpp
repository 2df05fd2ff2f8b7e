// Checks the client's request before the backend is asked.
#pragma once

#include "httpd/httpd.hpp"
#include "protocol/handshake.hpp"

namespace wsp {

// What is wrong with a client's handshake; none: nothing.
struct ClientRefusal {
    HandshakeError error = HandshakeError::none;
    const char* detail = "";  // for {} in the error's text; from r->pool
};

// Request thread; does not block. `websocket_scheme`: the URL is ws or wss. Sets `protocol` where the client asks for a
// protocol other than WebSocket and upgrade= allows it. Sets the response headers that a refusal needs (426: RFC 9110
// 15.5.22, RFC 6455 4.4).
ClientRefusal check_client(request_rec* r, const proxy_worker& worker, bool websocket_scheme,
                           const char*& protocol);

}  // namespace wsp
