// A tunnel that keeps its request thread.
#pragma once

#include "handoff/open_tunnel.hpp"

namespace wsp {

class TunnelHost;

// Pumps the tunnel through httpd's filters until it has ended; blocks for that long. The request's notes then tell how
// it ended, and its backend connection is to be closed.
void pump_on_this_thread(OpenTunnel& tunnel, TunnelHost& tunnels);

}  // namespace wsp
