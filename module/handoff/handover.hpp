// What happens to an open tunnel: both connections leave httpd for the pump, or the request thread
// pumps them through httpd's filters where they cannot leave.
#pragma once

#include "handoff/open_tunnel.hpp"
#include "httpd/httpd.hpp"

namespace wsp {

class TunnelHost;

// Whether a tunnel of this request will keep its thread, as far as the client's side tells. `async`:
// ProxyWebsocketAsync.
bool keeps_thread(request_rec* r, bool async);

// Returns OK when the tunnel has left, or, from the blocking pump, when it has ended. Request
// thread.
int run_tunnel(OpenTunnel& tunnel, TunnelHost& tunnels);

}  // namespace wsp
