// The format of a log record's block: a connection and its requests, packed at the handover and rebuilt for the log line, as far
// as mod_log_config and the items of httpd's modules look at them.
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
    bool redirected;          // there are two requests
    apr_off_t bytes_in;       // of the handshake, where mod_logio counts
    apr_off_t bytes_out;
};

inline apr_port_t port_of(const apr_sockaddr_t* address) {
    return address != nullptr ? address->port : 0;
}

// What formats need of them.
void pack_connection(Packer& packer, conn_rec c, const ConnectionNumbers& numbers,
                     const LogNeeds& needs);
void pack_request(Packer& packer, const request_rec& r, const LogNeeds& needs);

// The copies live in `pool`; their texts stay in the block.
conn_rec* unpack_connection(Unpacker& unpacker, ConnectionNumbers& numbers, server_rec* server,
                            apr_pool_t* pool);
request_rec* unpack_request(Unpacker& unpacker, conn_rec* c, server_rec* server);

// A server that names no port is asked for its protocol's (%p), and a copied connection has no TLS: a copy that names it.
server_rec* with_port(server_rec* server, apr_port_t port, apr_pool_t* pool);

}  // namespace wsp
