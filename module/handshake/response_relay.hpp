// Passes the backend's answer on to the client: the 101, or the whole answer when the backend has refused. Request
// thread.
#pragma once

#include "base/clock.hpp"
#include "handshake/refusal_cause.hpp"
#include "httpd/httpd.hpp"
#include "upstream/upgrade_exchange.hpp"

namespace wsp {

// Puts the backend's header fields into r->headers_out as mod_proxy would: without hop-by-hop fields, with
// ProxyPassReverse and ProxyPassReverseCookie* applied. Any result but `none`: the fields cannot be used, and
// r->headers_out is unchanged.
RefusalCause take_over_headers(request_rec* r, const ResponseHead& head);

// ProxyVia On and Full: adds this server to the Via field in r->headers_out. `port` is "" or ":8080".
void add_via(request_rec* r, const proxy_server_conf& conf, const char* port);

// Sends the 101 with r->headers_out through httpd's response path (HTTP/2 makes a 200 of it), and flushes it. False:
// the client has gone.
bool send_switching_protocols(request_rec* r, const char* protocol);

// Sends a refusal: status, headers and body. Blocks while the body flows (see relay_body). Returns what the scheme
// handler is to return. `whole`: the answer was read to its end and the backend keeps the connection open, so another
// request may use it.
int relay_refusal(request_rec* r, BackendConnection& backend, const UpgradeResponse& answer,
                  DurationUs patience, bool& whole);

}  // namespace wsp
