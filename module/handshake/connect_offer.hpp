// Whether a new HTTP/2 connection is offered WebSockets (SETTINGS_ENABLE_CONNECT_PROTOCOL): not where many tunnels keep their
// threads already. Browsers then open HTTP/1.1 for their sockets, which hold no thread, and keep HTTP/2 for everything else.
#pragma once

#include "handoff/kept_threads.hpp"
#include "httpd/httpd.hpp"

namespace wsp {

// register_hooks: the filter that takes the offer out of what mod_http2 sends first. It sits above TLS, sees nothing but the
// beginning of a connection, and takes itself out.
void register_connect_offer();

// process_connection, between mod_ssl, which finds out the protocol, and mod_http2: decides once for a connection.
void decide_connect_offer(conn_rec* c, KeptThreads& kept_threads);

}  // namespace wsp
