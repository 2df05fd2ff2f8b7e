// A backend with its connection pool and its preconnector, with the limits that ProxyWebsocketPool and the worker's
// parameters give them.
#pragma once

#include "config/config.h"
#include "httpd/httpd.hpp"
#include "httpd/stop_fds.hpp"
#include "pool/connection_pool.hpp"
#include "statistics/statistics.hpp"
#include "upstream/backend.hpp"
#include "upstream/configured_workers.hpp"
#include "upstream/preconnector.hpp"

namespace wsp {

// Owned by the WorkerPoolMap; lives as long as the child process. Any thread.
class WorkerPool {
  public:
    // `config`, resolved: that of a request to the worker. `series`: where the pool, its handshakes and its tunnels are
    // counted.
    WorkerPool(proxy_worker* worker, server_rec* server, const wsp_dir_config& config,
               StopFds stops, const TunnelPermits& permits, const ConfiguredWorkers& workers,
               Series& series);

    Backend& backend() { return backend_; }
    Series& series() const { return series_; }
    ConnectionPool& connections() { return connections_; }

    // Whether a connection may serve another request than the one that it was made for.
    bool keeps(bool tls) const { return reusable_ && (!tls || tls_reusable_); }

    // A request has connected: from now on connections to the same target are preconnected, where warm= asks for any.
    void note_use(const char* scheme, const proxy_conn_rec& record);
    // A connection has become idle, and has to be looked after.
    void note_idle() noexcept { preconnector_.wake(); }

  private:
    Backend backend_;
    const bool
        reusable_;  // false with disablereuse=on, or where a RewriteRule's worker stands for any host
    const bool
        tls_reusable_;  // false if a <Proxy> section may change TLS settings from request to request
    const PoolLimits limits_;
    Series& series_;
    SystemPoolClock clock_;
    ConnectionPool connections_;
    Preconnector preconnector_;
};

}  // namespace wsp
