// What goes back to the client: the backend's 101, or, when it has refused, its whole answer.
// Request thread.
#pragma once

#include "base/clock.hpp"
#include "handshake/refusal_cause.hpp"
#include "httpd/httpd.hpp"
#include "upstream/upgrade_exchange.hpp"

namespace wsp {

// Puts the backend's header fields into r->headers_out as mod_proxy would: hop-by-hop fields out,
// ProxyPassReverse and ProxyPassReverseCookie* applied. With another result than none the fields cannot be used, and
// r->headers_out is as it was.
RefusalCause take_over_headers(request_rec* r, const ResponseHead& head);

// ProxyVia On and Full: says in r->headers_out that the answer comes by here. `port` is "" or ":8080".
void add_via(request_rec* r, const proxy_server_conf& conf, const char* port);

// Sends the 101 with r->headers_out, through the response path (HTTP/2 makes a 200 of it), and
// flushes. False when the client has gone.
bool send_switching_protocols(request_rec* r, const char* protocol);

// Sends a refusal: status, headers and body. Blocks for as long as the body flows (see relay_body). Returns what the
// scheme handler returns. `whole`: the answer has been read to its end and the backend leaves the
// connection open, so that another request may have it.
int relay_refusal(request_rec* r, BackendConnection& backend, const UpgradeResponse& answer,
                  DurationUs patience, bool& whole);

}  // namespace wsp
