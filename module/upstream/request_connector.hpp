// Gets one request its connection to the backend, out of the pool or new, and decides where the connection goes
// afterwards.
#pragma once

#include <cstdint>
#include <memory>

#include "httpd/httpd.hpp"
#include "upstream/backend_connection.hpp"
#include "upstream/backend_fault.hpp"
#include "upstream/backend_route.hpp"
#include "upstream/worker_pool.hpp"
#include "upstream/worker_pool_map.hpp"

namespace wsp {

// Request thread. Its connection is closed when it is destroyed, unless the connection was given back or released
// before.
class RequestConnector {
  public:
    RequestConnector(request_rec* r, proxy_worker* worker, proxy_server_conf* conf,
                     const wsp_dir_config& config, const char* scheme, bool tls,
                     WorkerPoolMap& pools);
    ~RequestConnector();
    RequestConnector(const RequestConnector&) = delete;
    RequestConnector& operator=(const RequestConnector&) = delete;

    // Opens a connection and fills in the route. With `fresh` it takes no idle connection. Closes the connection that
    // was open before. Blocks, until the deadline at most; connect_with_mod_proxy.hpp names two exceptions.
    BackendFault open(BackendRoute& route, MonotonicUs deadline, bool fresh);
    // The HTTP status that mod_proxy has given, for a fault whose row has none.
    int status() const { return status_; }

    // Only while a connection is open.
    BackendConnection& connection() const { return *connection_; }
    proxy_conn_rec* record() const { return connection_->record(); }
    proxy_worker* worker() const { return worker_; }
    Series& series() const { return pool_.series(); }
    WarningGates& warnings() const { return pool_.backend().warnings(); }
    // The connection has been idle, so that the server may be closing it just now.
    bool is_reused() const { return reused_; }

    // The response has been read whole: the connection goes back to the pool, where the configuration allows that.
    void give_back();
    // The connection has become a tunnel's: httpd's side of it ends, and the pool forgets it.
    void release();

  private:
    BackendFault lease(MonotonicUs deadline, bool fresh);
    BackendFault determine(BackendRoute& route, MonotonicUs deadline);
    int determine_once(BackendRoute& route);
    BackendFault connect(MonotonicUs deadline);
    BackendFault connect_socket(MonotonicUs deadline);
    BackendFault set_up_tls(MonotonicUs deadline);
    void end_lease(ConnectFault fault);
    BackendFault failed(BackendFault fault, int status) {
        status_ = status;
        return fault;
    }

    request_rec* r_;
    proxy_worker* worker_;
    proxy_server_conf* conf_;
    const char* scheme_;
    const bool tls_;
    WorkerPool& pool_;
    ConnectionPool::Lease lease_;
    std::unique_ptr<BackendConnection> new_;   // a new connection, until the lease takes it over
    BackendConnection* connection_ = nullptr;  // in new_ or in the lease
    int status_ = OK;
    bool reused_ = false;
    bool shared_ = false;  // the connection may come from the pool, and go back there
};

}  // namespace wsp
