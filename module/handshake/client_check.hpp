// The client's half of the handshake, judged before anybody turns to the backend.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// status OK: nothing is wrong. Else the status for the client and, for the log, why; from r->pool.
struct ClientRefusal {
    int status = OK;
    const char* why = "";
};

// Request thread; does not block. `websocket_scheme`: the URL is ws or wss. Sets `protocol` where the
// client asks for another one than WebSocket that upgrade= lets through, and the headers that a
// refusal needs (426: RFC 9110 15.5.22, RFC 6455 4.4).
ClientRefusal check_client(request_rec* r, const proxy_worker& worker, bool websocket_scheme,
                           const char*& protocol);

}  // namespace wsp
