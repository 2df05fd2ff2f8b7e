// mod_proxy's scheme handler: one WebSocket handshake, from the client's request to the open tunnel
// or the refusal.
#pragma once

#include "handshake/services.hpp"
#include "httpd/httpd.hpp"

namespace wsp {

// DECLINED for a request that is not ours. Refuses subrequests and requests for error pages. Request thread; blocks
// while it connects and waits for the backend's answer.
// `services` is null when the child process had no memory for them; the handshake is then refused.
int handle_handshake(const HandshakeServices* services, request_rec* r, proxy_worker* worker,
                     proxy_server_conf* conf, char* url, const char* proxyname,
                     apr_port_t proxyport);

}  // namespace wsp
