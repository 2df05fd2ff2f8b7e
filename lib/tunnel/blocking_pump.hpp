// One tunnel on the calling thread, for where a connection cannot leave httpd: HTTP/2 streams, foreign filters,
// ProxyWebsocketAsync Off. The same tunnel code as the pump's, with poll(2) on two streams.
#pragma once

#include "base/clock.hpp"
#include "tunnel/tunnel.hpp"

namespace wsp {

// Drives `tunnel` until it is done, then tells its observer. Blocks for that long. When `stop_fd` (-1: none) becomes
// readable the tunnel is ended with a Close, once; nobody reads from `stop_fd`, so that one byte stops many.
void run_blocking(Tunnel& tunnel, int stop_fd) noexcept;

}  // namespace wsp
