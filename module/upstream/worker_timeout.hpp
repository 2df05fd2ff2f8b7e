// How long a worker's backend may take over anything: one chain for all who ask.
#pragma once

#include "base/clock.hpp"
#include "httpd/httpd.hpp"

namespace wsp {

// timeout= of the worker, else ProxyTimeout; 0 where neither is set.
inline DurationUs proxy_timeout_of(const proxy_worker& worker, const proxy_server_conf& conf) {
    if (worker.s->timeout_set) {
        return worker.s->timeout;
    }
    return conf.timeout_set ? conf.timeout : 0;
}

// The same, else Timeout, which is never unset (proxy_util.c ap_proxy_connect_backend).
inline DurationUs timeout_of(const proxy_worker& worker, const proxy_server_conf& conf,
                             const server_rec& server) {
    const bool is_set = worker.s->timeout_set || conf.timeout_set;
    return is_set ? proxy_timeout_of(worker, conf) : server.timeout;
}

}  // namespace wsp
