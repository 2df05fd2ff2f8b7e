// The handshake's two messages on the backend connection: our request, its answer. Request thread;
// blocks, for no longer than the limit that the caller has set on the connection.
#pragma once

#include <string>

#include "httpd/httpd.hpp"
#include "protocol/response_head.hpp"
#include "upstream/backend_connection.hpp"
#include "upstream/backend_route.hpp"

namespace wsp {

enum class ExchangeFault {
    none,
    send_failed,  // the request could not be sent
    timed_out,    // no whole answer by the deadline
    stopping,     // httpd stops meanwhile, and not gracefully
    closed,       // the backend closed or broke the connection before it had answered
    too_large,    // the answer's head is larger than any sensible one
    long_field,   // a field of it is longer than the worker's responsefieldsize=
    not_http,     // what it sent is not an HTTP/1.x head
    bad_line,     // a line of the head is no header field, and ProxyBadHeader does not help
};

// What is said of it in the log: "the backend <text>".
const char* text_of(ExchangeFault fault);

// The answer of a backend: `head` refers to `text`. Of a head that is no good only the status may be there; 0 if not even that.
struct UpgradeResponse {
    std::string text;
    ResponseHead head;
    std::string body;  // what of it has been read with the head: ProxyBadHeader StartBody
};

// Sends the client's request to the backend as mod_proxy would (ap_proxy_create_hdrbrgd: Host,
// X-Forwarded-*, hop-by-hop headers), with "Upgrade: <protocol>".
ExchangeFault send_upgrade_request(request_rec* r, BackendConnection& backend,
                                   proxy_server_conf* conf, BackendRoute& route,
                                   const char* protocol);

// Reads the final response head, skipping interim ones (RFC 9110 15.2) other than 101. Leaves what
// follows in the connection's filters.
// `conf` has ProxyBadHeader.
ExchangeFault read_upgrade_response(BackendConnection& backend, const proxy_server_conf& conf,
                                    UpgradeResponse& answer);

}  // namespace wsp
