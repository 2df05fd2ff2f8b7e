// A connection to a backend that is not a tunnel yet, with httpd's side of it: socket, filters, TLS.
//
// mod_proxy's record of a connection without mod_proxy's pool of them: that one has as many places
// as a child has threads, one for prefork, and keeps whatever it is given. Owned by one thread at a
// time, which a connection_pool hands it over to; its APR pool is a child of the worker's own, whose
// allocator has a lock (proxy_util.c init_conn_pool), so that any thread may make or end one.
#pragma once

#include "httpd/httpd.hpp"
#include "pool/connection_pool.hpp"
#include "upstream/backend_io.hpp"

namespace wsp {

class BackendConnection final : public PooledConnection {
  public:
    // Not connected yet. `scheme`, for mod_proxy's log lines, is not copied. `stop_fd`: see BackendIo.
    BackendConnection(proxy_worker* worker, server_rec* server, const char* scheme, bool tls,
                      int stop_fd);
    // Closes the socket, after a close_notify where there is TLS; may not block.
    ~BackendConnection() override;
    BackendConnection(const BackendConnection&) = delete;
    BackendConnection& operator=(const BackendConnection&) = delete;

    // False too while the worker is stopped, disabled or in error.
    bool is_alive() noexcept override;
    int fd() const noexcept override;

    proxy_conn_rec* record() const { return record_; }
    const char* scheme() const { return scheme_; }
    // errno of the last connect(), if it failed and mod_proxy has not kept it to itself.
    int connect_error() const { return connect_error_; }
    void note_connect_error(int error) { connect_error_ = error; }
    // See BackendIo.
    std::string_view first_bytes() const { return io_.first_bytes(); }
    // What bounds the reading and writing on it.
    BackendIo& io() { return io_; }
    // Cuts the ties to the request that has used it, whose configuration is about to go away
    // (proxy_util.c connection_cleanup).
    void forget_request();

  private:
    BackendIo io_;
    proxy_conn_rec* record_;
    server_rec* server_;
    int connect_error_ = 0;
    const char* scheme_;
};

}  // namespace wsp
