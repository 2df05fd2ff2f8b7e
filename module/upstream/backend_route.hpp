// Where a handshake goes, in mod_proxy's terms.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// One handshake's; request thread. All pointers are into the request's pool.
struct BackendRoute {
    BackendRoute(char* mapped_url, const char* remote, apr_port_t remote_port)
        : url(mapped_url), path(mapped_url), proxy_name(remote), proxy_port(remote_port) {}

    // "host:port" of the forward proxy for a log line, or null where there is none.
    const char* forward_proxy(apr_pool_t* pool) const {
        return proxy_name != nullptr
                   ? apr_psprintf(pool, "%s:%d", proxy_name, static_cast<int>(proxy_port))
                   : nullptr;
    }

    // The whole URL that the request is mapped to.
    char* const url;
    // RequestConnector::open() fills in these three (ap_proxy_determine_connection). Until then `path` is the URL, and
    // `uri` and `server_port` are empty.
    apr_uri_t uri{};
    char* path;  // for the request line
    char server_port[32]{};
    // The forward proxy that ProxyRemote names; null without one.
    const char* const proxy_name;
    const apr_port_t proxy_port;
};

}  // namespace wsp
