// The format of a log record's block. It has those fields of a connection and its requests that mod_log_config, the
// error log and the format items of httpd's modules read. They are packed at the handoff, by the request thread, and
// unpacked for the log line, by the access log writer.
#pragma once

#include "base/log_needs.hpp"
#include "httpd/httpd.hpp"
#include "log/packer.hpp"

namespace wsp {

struct ConnectionNumbers {
    long id;
    int keepalives;
    apr_port_t client_port;
    apr_port_t local_port;
    apr_port_t default_port;  // of the server, for one that names none
    bool redirected;          // the block has two requests
    apr_off_t bytes_in;       // of the handshake, where mod_logio counts
    apr_off_t bytes_out;
};

inline apr_port_t port_of(const apr_sockaddr_t* address) {
    return address != nullptr ? address->port : 0;
}

// Pack what the formats need.
void pack_connection(Packer& packer, conn_rec c, const ConnectionNumbers& numbers,
                     const LogNeeds& needs);
void pack_request(Packer& packer, const request_rec& r, const LogNeeds& needs);

// The copies live in `pool`; their texts stay in the block.
conn_rec* unpack_connection(Unpacker& unpacker, ConnectionNumbers& numbers, server_rec* server,
                            apr_pool_t* pool);
request_rec* unpack_request(Unpacker& unpacker, conn_rec* c, server_rec* server);

// For a server without a port httpd looks at the connection's TLS to find the default one (%p), and a copied connection
// has none. So this returns a copy of such a server that names `port`; other servers are returned as they are.
server_rec* with_port(server_rec* server, apr_port_t port, apr_pool_t* pool);

}  // namespace wsp
