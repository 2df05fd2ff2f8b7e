// A connection to a backend before it is a tunnel, with httpd's side of it: socket, filters, TLS.
//
// It is mod_proxy's record of a connection (proxy_conn_rec), but not from mod_proxy's own pool: that pool has as many
// places as a child has threads, which is one on prefork, and it keeps whatever it is given.
#pragma once

#include "httpd/httpd.hpp"
#include "pool/connection_pool.hpp"
#include "upstream/backend.hpp"
#include "upstream/backend_io.hpp"

namespace wsp {

// Owned by one thread at a time; a ConnectionPool hands it from one to the next. Its APR pool is a child of the
// worker's, whose allocator has a lock (proxy_util.c init_conn_pool), so that any thread may make or destroy a
// connection.
class BackendConnection final : public PooledConnection {
  public:
    // Not connected yet. `scheme`, for mod_proxy's log lines, is not copied. `backend` outlives it.
    BackendConnection(const Backend& backend, const char* scheme, bool tls);
    // Closes the socket, after a close_notify where there is TLS. Does not block.
    ~BackendConnection() override;
    BackendConnection(const BackendConnection&) = delete;
    BackendConnection& operator=(const BackendConnection&) = delete;

    // False as well while the worker is stopped, disabled or in error.
    bool is_alive() noexcept override;
    int fd() const noexcept override;

    proxy_conn_rec* record() const { return record_; }
    const char* scheme() const { return scheme_; }
    // The errno of the last connect() if it has failed; 0 where mod_proxy does not tell.
    int connect_error() const { return connect_error_; }
    void note_connect_error(int error) { connect_error_ = error; }
    // See BackendIo.
    std::string_view first_bytes() const { return io_.first_bytes(); }
    // What limits the time of reading and writing on it.
    BackendIo& io() { return io_; }
    // The connection's TLS points to the configuration of the request that has used it, which is about to go away.
    // Makes it point to the worker's (proxy_util.c connection_cleanup).
    void forget_request();

  private:
    BackendIo io_;
    proxy_conn_rec* record_;
    server_rec* server_;
    int connect_error_ = 0;
    const char* scheme_;
};

}  // namespace wsp
