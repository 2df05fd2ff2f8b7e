// Connects to the fastest of a backend's addresses, IPv6 and IPv4 side by side (RFC 8305), and logs the attempts.
#pragma once

#include "base/clock.hpp"
#include "upstream/backend.hpp"
#include "upstream/backend_connection.hpp"

namespace wsp {

// Connects the record's socket to one of the addresses in record.addr, or to record.uds_path. Blocks, for no longer
// than connectiontimeout= of the worker, the deadline, or until the child process stops. Log lines are about `r`, or,
// where that is null, about the server and at level debug. mod_proxy's bookkeeping of the worker stays as it is.
ConnectFault race_addresses(Backend& backend, BackendConnection& connection, MonotonicUs deadline,
                            request_rec* r);

}  // namespace wsp
