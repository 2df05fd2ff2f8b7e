// The connection pools of a child: one per backend and virtual host, made when the first handshake
// asks for the backend and then kept for as long as the child lives.
//
// Any thread. One mutex guards the table; a member's own mutex what the last request said of it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "config/config.h"
#include "httpd/httpd.hpp"
#include "httpd/limited_log.hpp"
#include "httpd/stop_fds.hpp"
#include "net/connect_race.hpp"
#include "pool/connection_pool.hpp"

namespace wsp {

class Preconnector;

// post_config: finds out whether <Proxy> sections have TLS settings of their own, and which workers have an smax=. Main thread.
void learn_proxy_sections();
void learn_idle_limits(server_rec* main_server);

// One worker as one virtual host uses it: TLS settings are the host's.
class WorkerPool {
  public:
    WorkerPool(proxy_worker* worker, server_rec* server, const wsp_dir_config& config,
               StopFds stops);
    ~WorkerPool();

    // Whom a request has asked for, so that connections made ahead are for the same.
    struct Target {
        const char* scheme = "ws";  // a literal, for mod_proxy's log lines
        std::string hostname;
        apr_port_t port = 0;
        std::string uds_path;
        std::string tls_name;  // SNI and the name that the certificate is checked for
        bool tls = false;
    };
    // After a connection of this backend could be used: from now on connections are made ahead, if
    // any are wanted.
    void note_use(const char* scheme, const proxy_conn_rec& record);
    Target target() const;
    // A connection has become idle: from now on somebody looks after it.
    void note_idle() noexcept;
    // The address that answered last (RFC 8305 4: "the good one remembered").
    void note_good_address(const ConnectAddress& address);
    bool good_address(ConnectAddress& address) const;

    ConnectionPool& pool() { return pool_; }
    WarningGates& warnings() { return warnings_; }
    proxy_worker* worker() const { return worker_; }
    server_rec* server() const { return server_; }
    StopFds stops() const { return stops_; }
    // Whether a connection may serve another request than the one that it was made for.
    bool keeps(bool tls) const { return reusable_ && (!tls || tls_reusable_); }

  private:
    void wake_preconnector() noexcept;

    proxy_worker* const worker_;
    server_rec* const server_;
    const StopFds stops_;
    const bool reusable_;      // not disablereuse=on, not a RewriteRule's worker for any host
    const bool tls_reusable_;  // no <Proxy> section may change TLS from request to request
    const PoolLimits limits_;
    ConnectionPool pool_;
    WarningGates warnings_;
    mutable std::mutex mutex_;  // guards all below
    Target target_;
    ConnectAddress good_address_{};
    bool has_good_address_ = false;
    std::unique_ptr<Preconnector> preconnector_;
    bool lack_told_ = false;  // that it has no thread
};

class WorkerPoolMap {
  public:
    explicit WorkerPoolMap(StopFds stops) : stops_(stops) {}

    // `config`, resolved, is that of a request to the worker: what its pool is follows the first.
    WorkerPool& worker_pool(proxy_worker* worker, server_rec* server, const wsp_dir_config& config);
    // The child ends: says how many warnings about each were left out.
    void log_left_out() noexcept;

  private:
    const StopFds stops_;
    std::mutex mutex_;
    std::map<std::pair<proxy_worker*, server_rec*>, std::unique_ptr<WorkerPool>> members_;
};

}  // namespace wsp
