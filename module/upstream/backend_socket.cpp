// Conversions between APR's sockets and addresses and those of lib.
#include "upstream/backend_socket.hpp"

#include <netinet/tcp.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "apr_portable.h"
#include "upstream/worker_parameters.hpp"

namespace wsp {

ConnectAddress address_of(const apr_sockaddr_t& from) {
    ConnectAddress address{};
    address.size = from.salen;
    std::memcpy(&address.address, &from.sa,
                std::min<std::size_t>(from.salen, sizeof address.address));
    return address;
}

ConnectAddress address_of_path(const char* path) {
    ConnectAddress address{};
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    apr_cpystrn(to.sun_path, path, sizeof to.sun_path);
    std::memcpy(&address.address, &to, sizeof to);
    address.size = sizeof to;
    return address;
}

bool prepare_socket(int fd, const ConnectAddress& to, void* context) {
    const Backend& backend = *static_cast<Backend*>(context);
    const proxy_worker_shared& shared = *backend.worker()->s;
    const proxy_server_conf& config = backend.proxy_config();
    const int on = 1;
    if (to.address.ss_family == AF_UNIX) {
        return true;
    }
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (shared.keepalive) {
        ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    }
    if (shared.recv_buffer_size > 0) {
        const int size = static_cast<int>(shared.recv_buffer_size);
        ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    return !config.source_address_set ||
           ::bind(fd, reinterpret_cast<const sockaddr*>(&config.source_address->sa),
                  config.source_address->salen) == 0;
}

void adopt_socket(const Backend& backend, proxy_conn_rec& record, UniqueFd fd,
                  apr_sockaddr_t* remote) {
    apr_os_sock_t descriptor = fd.release();
    apr_os_sock_info_t info{};
    info.os_sock = &descriptor;
    info.remote = remote != nullptr ? reinterpret_cast<sockaddr*>(&remote->sa) : nullptr;
    info.family = remote != nullptr ? remote->family : APR_UNIX;
    info.type = SOCK_STREAM;
    info.protocol = remote != nullptr ? APR_PROTO_TCP : 0;
    record.connection = nullptr;
    apr_os_sock_make(&record.sock, &info, record.scpool);
    apr_socket_timeout_set(
        record.sock, timeout_of(*backend.worker(), backend.proxy_config(), *backend.server()));
}

ConnectFault fault_of_errno(int error) {
    switch (error) {
        case ECONNREFUSED:
        case ENOENT:  // the Unix socket does not exist, or not yet
            return ConnectFault::refused;
        case ETIMEDOUT:
            return ConnectFault::timed_out;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
        case EADDRNOTAVAIL:
            return ConnectFault::no_resources;
        default:
            return ConnectFault::unreachable;
    }
}

}  // namespace wsp
