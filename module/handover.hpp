// What happens to an open tunnel: both connections leave httpd for the pump, or the request thread
// pumps them through httpd's filters where they cannot leave.
#pragma once

#include <cstdint>

#include "httpd.hpp"
#include "tunnel/policy.hpp"
#include "tunnel_slots.hpp"

namespace wsp {

// A tunnel whose 101 has been sent to the client.
struct OpenTunnel {
    request_rec* r;
    const char* scheme;        // for mod_proxy's log lines
    proxy_conn_rec** backend;  // null in here once the connection has been released
    Policy policy;
    bool async;           // ProxyWebsocketAsync
    DurationUs lifetime;  // 0: no limit
    std::uint8_t allowed_rsv;
    bool raw;
    const char* backend_url;  // for the logs
    TunnelSlot slot;          // held for as long as the tunnel lives
};

// Returns OK when the tunnel has left, or, from the blocking pump, when it has ended. Request
// thread.
int run_tunnel(OpenTunnel& tunnel);

}  // namespace wsp
