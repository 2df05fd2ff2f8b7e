// Our race connects to addresses, since mod_proxy tries one address after the other and knows neither the handshake's
// deadline nor the child's stop. mod_proxy connects in three cases: through a forward proxy (ProxyRemote, CONNECT), to
// a Unix socket, and once more to a single address that has failed at once, because people look for its log lines.
#include "upstream/connect_with_mod_proxy.hpp"

#include <sys/socket.h>

#include <cerrno>

#include "upstream/address_race.hpp"
#include "upstream/backend_socket.hpp"
#include "upstream/worker_parameters.hpp"
#include "upstream/worker_state.hpp"

namespace wsp {
namespace {

ConnectFault succeeded(const Backend& backend) {
    return note_connected(*backend.worker()) ? ConnectFault::none : ConnectFault::refused;
}

// The only address has failed before any timeout, so that mod_proxy fails as fast.
bool is_left_to_mod_proxy(const proxy_conn_rec& record, ConnectFault fault) {
    return record.addr->next == nullptr && fault != ConnectFault::timed_out &&
           fault != ConnectFault::stopped;
}

ConnectFault race_for_request(Backend& backend, BackendConnection& connection, MonotonicUs deadline,
                              request_rec* r) {
    proxy_conn_rec& record = *connection.record();
    ConnectFault fault = race_addresses(backend, connection, deadline, r);
    if (fault == ConnectFault::none || is_left_to_mod_proxy(record, fault)) {
        return fault;
    }
    if (fault != ConnectFault::stopped && has_moved(record, backend.server())) {
        fault = race_addresses(backend, connection, deadline, r);
    }
    if (fault != ConnectFault::none && fault != ConnectFault::stopped) {
        put_in_error(*backend.worker(), r);
    }
    return fault;
}

// mod_proxy does not say why it could not connect to a Unix socket. The errno of a second try; 0 if that one works.
int error_of_path(const char* path) {
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const ConnectAddress to = address_of_path(path);
    const bool connected =
        fd.valid() &&
        ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to.address), to.size) == 0;
    return connected ? 0 : errno;
}

ConnectFault let_mod_proxy_connect(Backend& backend, BackendConnection& connection) {
    proxy_conn_rec& record = *connection.record();
    const MonotonicUs begin = monotonic_now();
    if (ap_proxy_connect_backend(connection.scheme(), &record, backend.worker(),
                                 backend.server()) == OK) {
        return ConnectFault::none;
    }
    if (record.uds_path != nullptr) {
        connection.note_connect_error(error_of_path(record.uds_path));
    }
    const DurationUs timeout =
        connect_timeout_of(*backend.worker(), backend.proxy_config(), *backend.server());
    return monotonic_now() - begin >= timeout ? ConnectFault::timed_out : ConnectFault::refused;
}

}  // namespace

ConnectFault connect_with_mod_proxy(Backend& backend, BackendConnection& connection,
                                    MonotonicUs deadline, request_rec* r) {
    proxy_conn_rec& record = *connection.record();
    connection.note_connect_error(0);
    // Closes a socket that has died since the connection was lent.
    if (record.sock != nullptr &&
        ap_proxy_check_connection(connection.scheme(), &record, backend.server(), 0, 0) ==
            APR_SUCCESS) {
        return succeeded(backend);
    }
    if (record.forward == nullptr && record.uds_path == nullptr && record.addr != nullptr) {
        const ConnectFault fault = race_for_request(backend, connection, deadline, r);
        if (fault == ConnectFault::none) {
            return succeeded(backend);
        }
        if (!is_left_to_mod_proxy(record, fault)) {
            return fault;
        }
    }
    return let_mod_proxy_connect(backend, connection);
}

}  // namespace wsp
