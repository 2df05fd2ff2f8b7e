// The fields in their order, and replacements for fields that cannot be copied.
#include "log/request_copy.hpp"

#include <cstring>
#include <string_view>

namespace wsp {
namespace {

// Calls visit(text, items) for each text of the connection, in the order of the block, for packing and for unpacking.
// `items` are the format items that read the text; "" means that it is always kept.
template <class Visit>
void each_text(conn_rec& c, Visit visit) {
    visit(c.client_ip, "");
    visit(c.local_ip, "Ap");
    visit(c.remote_host, "h");
    visit(c.remote_logname, "l");
    visit(c.log_id, "L");
}

// The same of a request.
template <class Visit>
void each_text(request_rec& r, Visit visit) {
    visit(r.useragent_ip, "");
    visit(r.useragent_host, "h");
    visit(r.the_request, "r");
    visit(r.method, "m");
    visit(r.uri, "U");
    visit(r.args, "q");
    visit(r.protocol, "H");
    visit(r.hostname, "V");
    visit(r.user, "u");
    visit(r.filename, "f");
    visit(r.handler, "R");
    visit(r.log_id, "L");
    visit(r.content_type, "o");
}

struct RequestNumbers {
    apr_time_t request_time;
    int status;
    int proto_num;
    int method_number;
    apr_port_t useragent_port;
    bool is_the_connections;  // the addresses are the same object (core.c ap_get_useragent_host)
    // The settings of its location that decide about names.
    unsigned hostname_lookups;
    unsigned canonical_name;
    unsigned canonical_port;
};

core_dir_config* core_config_in(ap_conf_vector_t* locations) {
    return static_cast<core_dir_config*>(ap_get_core_module_config(locations));
}

RequestNumbers numbers_of(const request_rec& r) {
    const core_dir_config* const core = core_config_in(r.per_dir_config);
    return {r.request_time,
            r.status,
            r.proto_num,
            r.method_number,
            port_of(r.useragent_addr),
            r.useragent_addr == nullptr || r.useragent_addr == r.connection->client_addr,
            core->hostname_lookups,
            core->use_canonical_name,
            core->use_canonical_phys_port};
}

// What %r shows. Without a password, as log_request_line() of mod_log_config.
char* line_without_password(const request_rec& r) {
    if (r.parsed_uri.password == nullptr) {
        return r.the_request;
    }
    return apr_pstrcat(r.pool, r.method, " ", apr_uri_unparse(r.pool, &r.parsed_uri, 0),
                       r.assbackwards != 0 ? nullptr : " ", r.protocol, nullptr);
}

apr_sockaddr_t* address(const char* ip, apr_port_t port, apr_pool_t* pool) {
    apr_sockaddr_t* made = nullptr;
    if (ip != nullptr) {
        // A numeric address, so no name server is asked. A known family, so the kernel's list of addresses is not read
        // either (getaddrinfo(3), AI_ADDRCONFIG).
        const int family = std::strchr(ip, ':') != nullptr ? APR_INET6 : APR_INET;
        apr_sockaddr_info_get(&made, ip, family, port, 0, pool);
    }
    if (made == nullptr) {
        // mod_log_config and -R dereference it without a check.
        apr_sockaddr_info_get(&made, "0.0.0.0", APR_INET, port, 0, pool);
    }
    return made;
}

// The address in c.client_addr if it differs from c.client_ip, otherwise null. Modules like mod_rpaf overwrite only one
// of them, and httpd looks up the name of c.client_addr (core.c ap_get_remote_host).
const char* other_address(const conn_rec& c) {
    char* held = nullptr;
    const bool differs = c.client_addr != nullptr && c.client_ip != nullptr &&
                         apr_sockaddr_ip_get(&held, c.client_addr) == APR_SUCCESS &&
                         std::strcmp(held, c.client_ip) != 0;
    return differs ? held : nullptr;
}

// A configuration for the copy: the server's, with the location's settings that decide about names. Nothing else of the
// location's configuration is read for a log line.
ap_conf_vector_t* locations_like(const RequestNumbers& numbers, const server_rec* server,
                                 apr_pool_t* pool) {
    ap_conf_vector_t* const of_server = server->lookup_defaults;
    const core_dir_config* const core = core_config_in(of_server);
    if (core->hostname_lookups == numbers.hostname_lookups &&
        core->use_canonical_name == numbers.canonical_name &&
        core->use_canonical_phys_port == numbers.canonical_port) {
        return of_server;
    }
    // A new vector with room for every module; ap_create_request_config() makes one.
    ap_conf_vector_t* const made = ap_create_request_config(pool);
    for (module** each = ap_loaded_modules; *each != nullptr; ++each) {
        ap_set_module_config(made, *each, ap_get_module_config(of_server, *each));
    }
    // The structure of a later httpd may be longer; the rest of it is zero then.
    constexpr std::size_t kLaterFields = 512;
    auto* const changed =
        static_cast<core_dir_config*>(apr_pcalloc(pool, sizeof(core_dir_config) + kLaterFields));
    *changed = *core;
    changed->hostname_lookups = numbers.hostname_lookups;
    changed->use_canonical_name = numbers.canonical_name;
    changed->use_canonical_phys_port = numbers.canonical_port;
    ap_set_core_module_config(made, changed);
    return made;
}

// Some of httpd's fields are const and some are not. Nobody writes to the texts.
template <class Copied>
void unpack_texts(Unpacker& unpacker, Copied& copy) {
    each_text(copy, [&unpacker](auto& field, std::string_view) {
        field = const_cast<char*>(unpacker.text());
    });
}

}  // namespace

void pack_connection(Packer& packer, conn_rec c, const ConnectionNumbers& numbers,
                     const LogNeeds& needs) {
    packer.numbers(numbers);
    each_text(c, [&](const char* value, std::string_view items) {
        packer.text(items.empty() || needs.any_letter(items) ? value : nullptr);
    });
    packer.text(other_address(c));
}

void pack_request(Packer& packer, const request_rec& r, const LogNeeds& needs) {
    packer.numbers(numbers_of(r));
    request_rec shown = r;
    shown.the_request = line_without_password(r);
    each_text(shown, [&](const char* value, std::string_view items) {
        packer.text(items.empty() || needs.any_letter(items) ? value : nullptr);
    });
    const auto named = [](const LogNeeds::Names& names) {
        return [&names](const char* key) { return names.wants(key); };
    };
    packer.table(r.headers_in, named(needs.headers_in));
    packer.table(r.headers_out, named(needs.headers_out));
    packer.table(r.err_headers_out, named(needs.headers_out));
    packer.table(r.subprocess_env, named(needs.env));
    packer.table(r.notes, named(needs.notes));
}

conn_rec* unpack_connection(Unpacker& unpacker, ConnectionNumbers& numbers, server_rec* server,
                            apr_pool_t* pool) {
    auto* const c = static_cast<conn_rec*>(apr_pcalloc(pool, sizeof(conn_rec)));
    numbers = unpacker.numbers<ConnectionNumbers>();
    unpack_texts(unpacker, *c);
    const char* const other = unpacker.text();
    c->pool = pool;
    c->base_server = server;
    c->id = numbers.id;
    c->conn_config = static_cast<ap_conf_vector_t*>(ap_create_conn_config(pool));
    c->notes = apr_table_make(pool, 1);
    c->client_addr = address(other != nullptr ? other : c->client_ip, numbers.client_port, pool);
    c->local_addr = address(c->local_ip, numbers.local_port, pool);
    c->keepalive = AP_CONN_CLOSE;
    c->keepalives = numbers.keepalives;
    // For the error log: a client's connection has such a handle (server/log.c do_errorlog_default); this one is of no
    // slot. And one without an id would be given one, as a connection that has no lines yet (log_error_core).
    ap_sb_handle_t* no_slot = nullptr;
    ap_create_sb_handle(&no_slot, pool, -1, -1);
    c->sbh = no_slot;
    c->log_id = c->log_id != nullptr ? c->log_id : "-";
    return c;
}

request_rec* unpack_request(Unpacker& unpacker, conn_rec* c, server_rec* server) {
    apr_pool_t* const pool = c->pool;
    auto* const r = static_cast<request_rec*>(apr_pcalloc(pool, sizeof(request_rec)));
    const auto numbers = unpacker.numbers<RequestNumbers>();
    unpack_texts(unpacker, *r);
    r->pool = pool;
    r->connection = c;
    r->server = server;
    r->request_time = numbers.request_time;
    r->status = numbers.status;
    r->proto_num = numbers.proto_num;
    r->method_number = numbers.method_number;
    r->useragent_addr = numbers.is_the_connections
                            ? c->client_addr
                            : address(r->useragent_ip, numbers.useragent_port, pool);
    r->headers_in = unpacker.table(pool);
    r->headers_out = unpacker.table(pool);
    r->err_headers_out = unpacker.table(pool);
    r->subprocess_env = unpacker.table(pool);
    r->notes = unpacker.table(pool);
    r->trailers_in = apr_table_make(pool, 1);
    r->trailers_out = apr_table_make(pool, 1);
    r->per_dir_config = locations_like(numbers, server, pool);
    r->request_config = static_cast<ap_conf_vector_t*>(ap_create_request_config(pool));
    return r;
}

server_rec* with_port(server_rec* server, apr_port_t port, apr_pool_t* pool) {
    if (server->port != 0) {
        return server;
    }
    auto* const named = static_cast<server_rec*>(apr_pmemdup(pool, server, sizeof(server_rec)));
    named->port = port;
    return named;
}

}  // namespace wsp
