// Whether a new HTTP/2 connection is offered WebSockets (SETTINGS_ENABLE_CONNECT_PROTOCOL). It is not while many
// tunnels keep their threads. Browsers then use HTTP/1.1 for their WebSockets, which hold no thread, and HTTP/2 for
// everything else.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

class KeptThreads;

// register_hooks: registers the filter that removes the offer from the first frame of mod_http2. The filter is above
// TLS, sees only the beginning of a connection, and then removes itself.
void register_connect_offer();

// process_connection, after mod_ssl has found out the protocol and before mod_http2: decides once for each connection.
void decide_connect_offer(conn_rec* c, KeptThreads& kept_threads);

}  // namespace wsp
