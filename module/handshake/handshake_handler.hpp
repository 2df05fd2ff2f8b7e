// mod_proxy's scheme handler: one WebSocket handshake, from the client's request to the open tunnel
// or the refusal.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// DECLINED for what is not ours. Refuses subrequests and requests for error pages. Request thread; blocks while it connects and waits for the
// backend's answer.
int handle_handshake(request_rec* r, proxy_worker* worker, proxy_server_conf* conf, char* url,
                     const char* proxyname, apr_port_t proxyport);

}  // namespace wsp
