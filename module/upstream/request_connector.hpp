// One request's way to its backend: a connection out of the pool, or a new one, and where it goes
// afterwards.
#pragma once

#include <memory>

#include "httpd/httpd.hpp"
#include "upstream/backend_connection.hpp"
#include "upstream/backend_route.hpp"
#include "upstream/worker_pools.hpp"

namespace wsp {

// Request thread; blocks, for no longer than the deadline. Closes its connection when it ends, unless that was given
// back or released before.
class RequestConnector {
  public:
    // Why a request has no connection.
    enum class Fault {
        none,
        out_of_use,   // the worker is in error, stopped or disabled
        stopping,     // httpd stops meanwhile, and not gracefully
        crowded,      // no turn to connect by the deadline (max-connecting=)
        no_address,   // mod_proxy has refused the URL or the name: see status()
        unreachable,  // no address of the backend could be connected to
        not_set_up,   // httpd could not make its connection: see status()
        no_tls,       // mod_ssl may not speak TLS to backends (SSLProxyEngine): see status()
        tls_failed,   // the TLS handshake failed
        tls_late,     // or did not end by the deadline
    };

    RequestConnector(request_rec* r, proxy_worker* worker, proxy_server_conf* conf,
                     const wsp_dir_config& config, const char* scheme, bool tls,
                     WorkerPoolMap& pools);
    ~RequestConnector();
    RequestConnector(const RequestConnector&) = delete;
    RequestConnector& operator=(const RequestConnector&) = delete;

    // Opens a connection; `fresh`: none that was idle. What was open before is closed.
    Fault open(BackendRoute& route, MonotonicUs deadline, bool fresh);
    // The HTTP status that goes with a fault.
    int status() const { return status_; }

    // Only while open.
    BackendConnection& connection() const { return *connection_; }
    proxy_conn_rec* record() const { return connection_->record(); }
    proxy_worker* worker() const { return worker_; }
    WarningGates& warnings() const { return worker_pool_.warnings(); }
    // The connection has been idle: the server may be about to close it.
    bool is_reused() const { return reused_; }

    // The exchange is over and whole: another request may have the connection, where the
    // configuration lets it.
    void give_back();
    // The connection is a tunnel's now: httpd's side of it ends, the pool forgets it.
    void release();

  private:
    Fault lease(MonotonicUs deadline, bool fresh);
    int determine_once(BackendRoute& route);
    Fault determine(BackendRoute& route, MonotonicUs deadline);
    Fault connect(MonotonicUs deadline);
    Fault failed_tls(ConnectFault fault);
    Fault failed(Fault fault, int status) {
        status_ = status;
        return fault;
    }

    request_rec* r_;
    proxy_worker* worker_;
    proxy_server_conf* conf_;
    const char* scheme_;
    const bool tls_;
    WorkerPool& worker_pool_;
    ConnectionPool::Lease lease_;
    std::unique_ptr<BackendConnection> new_;   // until it is connected: then the lease's
    BackendConnection* connection_ = nullptr;  // whoever has it
    int status_ = OK;
    bool reused_ = false;
    bool shared_ = false;  // the connection may be kept
};

}  // namespace wsp
