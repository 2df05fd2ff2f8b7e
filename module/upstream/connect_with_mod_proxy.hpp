// Connects for a request as mod_proxy would: with its bookkeeping of the worker and with its log lines.
#pragma once

#include "base/clock.hpp"
#include "upstream/backend.hpp"
#include "upstream/backend_connection.hpp"

namespace wsp {

// Connects to where record.addr, record.uds_path or ProxyRemote says, if the record's socket is not connected yet. A
// worker that cannot be connected to is in error afterwards, for its retry=. Blocks until the deadline at most, except
// with a forward proxy or a Unix socket: mod_proxy connects to those, and its own timeouts count.
ConnectFault connect_with_mod_proxy(Backend& backend, BackendConnection& connection,
                                    MonotonicUs deadline, request_rec* r);

}  // namespace wsp
