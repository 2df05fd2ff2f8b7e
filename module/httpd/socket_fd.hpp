// The descriptor of one of httpd's sockets. Any thread that may use the socket.
#pragma once

#include "apr_portable.h"
#include "httpd/httpd.hpp"

namespace wsp {

// It stays the socket's. -1: the socket is closed (apr_os_sock_get in apr_portable.h).
inline int fd_of(apr_socket_t* socket) {
    apr_os_sock_t fd = -1;
    apr_os_sock_get(&fd, socket);
    return fd;
}

}  // namespace wsp
