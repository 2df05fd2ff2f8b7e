// What a tunnel is known by: in log lines, on the status page, and to whoever closes it.
#pragma once

#include <string>

#include "httpd/httpd.hpp"
#include "log/packer.hpp"
#include "metrics/tunnel_row.hpp"

namespace wsp {

// Values that refer to texts of their owner: a request's pool, or the block of a LogRecord. No text is null.
struct TunnelIdentity {
    const char* id;      // httpd's id of the request: %L
    const char* client;  // the address of the user agent, where a proxy in front has sent it
    const char* path;    // of the client's request, without the query; clean_text()
    const char* tag;     // ProxyWebsocketTag; "" without one
    // The URL that the tunnel leads to, without the query, which may contain tokens.
    const char* backend;
    apr_port_t client_port;
    bool tls;  // of the client's connection
};

// Of a request that becomes a tunnel. Where httpd has not given it an id yet, it does so now; the requests that httpd
// has redirected to `r` have the same one. Request thread.
TunnelIdentity identity_of(request_rec* r, const char* backend_url, const char* tag);

// "192.0.2.7:50412 to ws://127.0.0.1:8000/chat"
std::string name_of_tunnel(const TunnelIdentity& identity);

// All but the labels of its virtual host and backend.
void describe_tunnel(const TunnelIdentity& identity, TunnelDescription& to) noexcept;

// The beginning of a LogRecord's block. What follows repeats some of these texts, at no cost (Packer::know).
void pack_identity(Packer& packer, const TunnelIdentity& identity);
// Of a damaged block it may be empty texts. Refers to the block.
TunnelIdentity unpack_identity(Unpacker& unpacker);

}  // namespace wsp
