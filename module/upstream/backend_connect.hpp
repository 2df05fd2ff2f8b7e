// From a BackendConnection without a socket to one that is connected, and through its TLS handshake.
// Blocks; the thread that owns the connection.
#pragma once

#include "base/clock.hpp"
#include "upstream/backend_connection.hpp"
#include "upstream/worker_pools.hpp"

namespace wsp {

// Connects where record.addr or record.uds_path says. Tries every address, IPv6 and IPv4 side by
// side (RFC 8305). For a request, `r`, mod_proxy's bookkeeping is done (a worker that cannot be reached
// is in error for its retry=), and its log lines are written. Null: for nobody yet.
ConnectFault connect_socket(WorkerPool& worker_pool, BackendConnection& connection,
                            MonotonicUs deadline, request_rec* r);

// Makes httpd's connection on the socket, with mod_ssl's settings of `r`, or, without a request,
// of the worker. Returns OK or an HTTP status.
int set_up_connection(WorkerPool& worker_pool, BackendConnection& connection, request_rec* r);

// Whether mod_ssl speaks TLS to backends for this request (SSLProxyEngine). Nothing is connected to.
bool may_speak_tls(request_rec* r);

// Lets mod_ssl shake hands by `deadline`. Nothing to do without TLS.
ConnectFault shake_hands(BackendConnection& connection, MonotonicUs deadline);

// All of that for nobody in particular: a connection to `target`, ready for a request. Logs nothing
// that somebody would have to act on, and leaves mod_proxy's bookkeeping alone.
ConnectFault preconnect(WorkerPool& worker_pool, BackendConnection& connection,
                        const WorkerPool::Target& target, MonotonicUs deadline);

}  // namespace wsp
