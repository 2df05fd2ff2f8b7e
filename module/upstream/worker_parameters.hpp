// What a worker's parameters (ProxyPass url key=value) say about time.
#pragma once

#include <cstdint>

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

// timeout= of the worker, else ProxyTimeout, else Timeout, which always has a value (proxy_util.c
// ap_proxy_connect_backend).
inline DurationUs timeout_of(const proxy_worker& worker, const proxy_server_conf& conf,
                             const server_rec& server) {
    const bool is_set = worker.s->timeout_set || conf.timeout_set;
    return is_set ? proxy_timeout_of(worker, conf) : server.timeout;
}

// connectiontimeout= of the worker, else the same as timeout_of().
inline DurationUs connect_timeout_of(const proxy_worker& worker, const proxy_server_conf& conf,
                                     const server_rec& server) {
    return worker.s->conn_timeout_set ? worker.s->conn_timeout : timeout_of(worker, conf, server);
}

// acquire= of the worker: how long a request waits for one of max= places.
inline bool has_acquire_timeout(const proxy_worker& worker) {
    return worker.s->acquire_set != 0;
}
inline DurationUs acquire_timeout_of(const proxy_worker& worker) {
    return worker.s->acquire;
}

// retry= of the worker.
inline std::int64_t retry_seconds_of(const proxy_worker& worker) {
    return apr_time_sec(worker.s->retry);
}

}  // namespace wsp
