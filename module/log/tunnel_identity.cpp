// Takes the identity from a request, and puts it into the block of a LogRecord.
#include "log/tunnel_identity.hpp"

#include <algorithm>
#include <string_view>

#include "log/log_transaction.hpp"
#include "protocol/clean_text.hpp"

namespace wsp {
namespace {

// These are kept for as long as the tunnel lives.
constexpr std::size_t kLongestUrl = 200;
constexpr std::size_t kLongestPath = 200;

struct IdentityNumbers {
    apr_port_t client_port;
    bool tls;
};

// A redirected request has an id of its own as soon as it has a line in the error log; usually it is the same one.
const char* id_of(request_rec* last) {
    const char* id = first_request_of(last)->log_id;
    for (const request_rec* r = last; r != nullptr && id == nullptr; r = r->prev) {
        id = r->log_id;
    }
    if (id == nullptr) {
        ap_run_generate_log_id(last->connection, last, &id);
    }
    if (id == nullptr) {
        return "";
    }
    for (request_rec* r = last; r != nullptr; r = r->prev) {
        r->log_id = id;
    }
    return id;
}

// As the client has sent it: not decoded, and before any rewriting. RFC 9112 3.2.2: the target may be a whole URL.
const char* path_of(request_rec* last) {
    const request_rec* const first = first_request_of(last);
    const bool is_path = first->unparsed_uri != nullptr && first->unparsed_uri[0] == '/';
    const char* const target = is_path ? first->unparsed_uri : first->uri;
    const std::string_view text(target != nullptr ? target : "");
    const std::string path = clean_text(text.substr(0, text.find('?')), kLongestPath);
    return apr_pstrmemdup(last->pool, path.data(), path.size());
}

const char* without_query(apr_pool_t* pool, std::string_view url) {
    const std::string_view shown = url.substr(0, std::min(url.find('?'), kLongestUrl));
    return apr_pstrmemdup(pool, shown.data(), shown.size());
}

}  // namespace

TunnelIdentity identity_of(request_rec* r, const char* backend_url, const char* tag) {
    conn_rec* const c = r->connection->master != nullptr ? r->connection->master : r->connection;
    return {id_of(r),
            r->useragent_ip,
            path_of(r),
            tag != nullptr ? tag : "",
            without_query(r->pool, backend_url),
            r->useragent_addr != nullptr ? r->useragent_addr->port : apr_port_t{0},
            ap_ssl_conn_is_ssl(c) != 0};
}

std::string name_of_tunnel(const TunnelIdentity& identity) {
    return std::string(identity.client) + ':' + std::to_string(identity.client_port) + " to " +
           identity.backend;
}

void describe_tunnel(const TunnelIdentity& identity, TunnelDescription& to) noexcept {
    to.id = identity.id;
    to.client = identity.client;
    to.path = identity.path;
    to.tag = identity.tag;
    to.tls = identity.tls;
}

void pack_identity(Packer& packer, const TunnelIdentity& identity) {
    packer.numbers(IdentityNumbers{identity.client_port, identity.tls});
    for (const char* text : {identity.id, identity.client, identity.path}) {
        packer.text(text);
        packer.know(text);
    }
    packer.text(identity.tag);
    packer.text(identity.backend);
}

TunnelIdentity unpack_identity(Unpacker& unpacker) {
    const auto numbers = unpacker.numbers<IdentityNumbers>();
    const char* known[3];
    for (const char*& text : known) {
        text = unpacker.text();
        unpacker.know(text);
        text = text != nullptr ? text : "";
    }
    const char* const tag = unpacker.text();
    const char* const backend = unpacker.text();
    return {known[0],
            known[1],
            known[2],
            tag != nullptr ? tag : "",
            backend != nullptr ? backend : "",
            numbers.client_port,
            numbers.tls};
}

}  // namespace wsp
