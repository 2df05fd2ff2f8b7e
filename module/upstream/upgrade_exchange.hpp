// The two messages of the handshake with the backend: the upgrade request and its response. Request thread. Blocks, for
// no longer than the limit that the caller has set on the connection (BackendIo::Limit).
#pragma once

#include <string>

#include "httpd/httpd.hpp"
#include "protocol/response_head.hpp"
#include "upstream/backend_connection.hpp"
#include "upstream/backend_fault.hpp"
#include "upstream/backend_route.hpp"

namespace wsp {

// A response of the backend. If the head is not valid it may have only the status, or a status of 0.
struct UpgradeResponse {
    std::string text;
    // Refers to `text`.
    ResponseHead head;
    // The part of the body that was read with the head (ProxyBadHeader StartBody).
    std::string body;
};

// Sends the client's request to the backend as mod_proxy would (ap_proxy_create_hdrbrgd: Host, X-Forwarded-*,
// hop-by-hop headers), with "Upgrade: <protocol>".
BackendFault send_upgrade_request(request_rec* r, BackendConnection& backend,
                                  proxy_server_conf* conf, BackendRoute& route,
                                  const char* protocol);

// Reads the head of the final response, and skips interim responses (RFC 9110 section 15.2) except a 101. What follows
// the head stays in the connection's filters. `conf` has ProxyBadHeader.
BackendFault read_upgrade_response(BackendConnection& backend, const proxy_server_conf& conf,
                                   UpgradeResponse& answer);

}  // namespace wsp
