// Packs a request for its late log line, and rebuilds enough of it to write the line.
#include "access_log.hpp"

#include <cstring>
#include <string_view>
#include <utility>

#include "connection_record.hpp"
#include "departure.hpp"
#include "log_needs.hpp"
#include "logio_bridge.hpp"
#include "mapping.hpp"
#include "mod_log_config.h"
#include "mod_ssl.h"
#include "tunnel_log.hpp"
#include "util_cfgtree.h"

namespace wsp {
namespace {

// Written in post_config, read by all threads of all children afterwards.
LogNeeds needs;

void learn_from(const ap_directive_t* directive) {
    static constexpr const char* kNames[] = {"LogFormat", "CustomLog", "TransferLog", "GlobalLog"};
    for (; directive != nullptr; directive = directive->next) {
        for (const char* name : kNames) {
            if (strcasecmp(directive->directive, name) == 0 && directive->args != nullptr) {
                needs.learn(directive->args);
            }
        }
        learn_from(directive->first_child);
    }
}

// Writes strings, each with a mark for "there is one", into one block.
class Packer {
  public:
    void text(const char* value) {
        block_.push_back(value == nullptr ? '\0' : '\1');
        if (value != nullptr) {
            block_.append(value, std::strlen(value) + 1);
        }
    }
    void table(const apr_table_t* table, const LogNeeds::Names& wanted) {
        if (table != nullptr) {
            const apr_array_header_t* const rows = apr_table_elts(table);
            const auto* const row = reinterpret_cast<const apr_table_entry_t*>(rows->elts);
            for (int i = 0; i < rows->nelts; ++i) {
                if (row[i].key != nullptr && wanted.wants(row[i].key)) {
                    text(row[i].key);
                    text(row[i].val);
                }
            }
        }
        text(nullptr);
    }
    std::unique_ptr<char[]> take() const {
        std::unique_ptr<char[]> exact(new char[block_.size()]);
        std::memcpy(exact.get(), block_.data(), block_.size());
        return exact;
    }

  private:
    std::string block_;
};

// Reads them back in the same order; the strings stay in the block.
class Unpacker {
  public:
    explicit Unpacker(const char* block) : at_(block) {}
    const char* text() {
        if (*at_++ == '\0') {
            return nullptr;
        }
        const char* const value = at_;
        at_ += std::strlen(value) + 1;
        return value;
    }
    apr_table_t* table(apr_pool_t* pool) {
        apr_table_t* const table = apr_table_make(pool, 8);
        while (const char* key = text()) {
            apr_table_addn(table, key, text());
        }
        return table;
    }

  private:
    const char* at_;
};

// The order of the texts in the block, told once for packing and unpacking, each with the format items that ask for it;
// none: it is always kept.
template <class Visit>
void each_text(request_rec& r, conn_rec& c, Visit visit) {
    visit(r.useragent_ip, "");
    visit(c.client_ip, "");
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
    visit(c.local_ip, "Ap");
    visit(c.remote_host, "h");
    visit(c.remote_logname, "l");
}

apr_sockaddr_t* address(const char* ip, apr_port_t port, apr_pool_t* pool) {
    apr_sockaddr_t* made = nullptr;
    if (ip != nullptr) {
        // Numeric, so no name server is asked; of a named family, so neither is the kernel for its
        // list of addresses (getaddrinfo(3), AI_ADDRCONFIG).
        const int family = std::strchr(ip, ':') != nullptr ? APR_INET6 : APR_INET;
        apr_sockaddr_info_get(&made, ip, family, port, 0, pool);
    }
    return made;
}

apr_port_t port_of(const apr_sockaddr_t* address) {
    return address != nullptr ? address->port : 0;
}

// mod_ssl's variables have no table of their own: they travel as notes of this prefix.
constexpr char kSslNote[] = "wsp-ssl:";

apr_table_t* ssl_variables(request_rec* r) {
    apr_table_t* const found = apr_table_make(r->pool, 4);
    if (auto* lookup = APR_RETRIEVE_OPTIONAL_FN(ssl_var_lookup)) {
        for (const std::string& name : needs.ssl.listed) {
            const char* const value =
                lookup(r->pool, r->server, r->connection, r, apr_pstrdup(r->pool, name.c_str()));
            apr_table_setn(found, apr_pstrcat(r->pool, kSslNote, name.c_str(), nullptr),
                           value ? value : "");
        }
    }
    return found;
}

const LogNeeds::Names& everything() {
    static const LogNeeds::Names all = [] {
        LogNeeds::Names names;
        names.all = true;
        return names;
    }();
    return all;
}

extern "C" const char* ssl_variable_of_tunnel_or_request(request_rec* r, char* name) {
    const char* value = apr_table_get(r->notes, apr_pstrcat(r->pool, kSslNote, name, nullptr));
    if (value == nullptr) {
        auto* lookup = APR_RETRIEVE_OPTIONAL_FN(ssl_var_lookup);
        value = lookup != nullptr ? lookup(r->pool, r->server, r->connection, r, name) : nullptr;
    }
    return value != nullptr && *value != '\0' ? value : nullptr;
}

ap_HOOK_log_transaction_t* log_config_function() {
    const apr_array_header_t* const hooks = ap_hook_get_log_transaction();
    for (int i = 0; hooks != nullptr && i < hooks->nelts; ++i) {
        const auto& link = APR_ARRAY_IDX(hooks, i, ap_LINK_log_transaction_t);
        if (std::string_view(link.szName) == "mod_log_config.c") {
            return link.pFunc;
        }
    }
    return nullptr;
}

// Everybody but mod_log_config and us, in the order of the hooks.
void run_other_loggers(request_rec* r) {
    const apr_array_header_t* const hooks = ap_hook_get_log_transaction();
    for (int i = 0; i < hooks->nelts; ++i) {
        const auto& link = APR_ARRAY_IDX(hooks, i, ap_LINK_log_transaction_t);
        const std::string_view name(link.szName);
        if (name != "mod_log_config.c" && name != "mod_proxy_websocket.c") {
            link.pFunc(r);
        }
    }
}

}  // namespace

void learn_log_formats() {
    needs = LogNeeds();
    learn_from(ap_conftree);
}

void wrap_ssl_log_handler(apr_pool_t* pool) {
    auto* const register_handler = APR_RETRIEVE_OPTIONAL_FN(ap_register_log_handler);
    if (register_handler != nullptr && ap_find_linked_module("mod_ssl.c") != nullptr) {
        register_handler(pool, apr_pstrdup(pool, "x"), ssl_variable_of_tunnel_or_request, 0);
    }
}

LogRecord::LogRecord(request_rec* last, const char* backend_url) : server_(last->server) {
    request_rec* first = last;  // before internal redirects
    while (first->prev != nullptr) {
        first = first->prev;
    }
    conn_rec* const c = first->connection;
    request_time_ = first->request_time;
    connection_id_ = c->id;
    status_ = last->status;
    proto_num_ = first->proto_num;
    method_number_ = first->method_number;
    keepalives_ = c->keepalives;
    client_port_ = port_of(c->client_addr);
    local_port_ = port_of(c->local_addr);
    read_logio_counters(c, bytes_in_, bytes_out_);

    Packer packer;
    packer.text(backend_url);
    each_text(*first, *c, [&packer](const char* value, std::string_view items) {
        packer.text(items.empty() || needs.any_letter(items) ? value : nullptr);
    });
    packer.table(last->headers_in, needs.headers_in);
    packer.table(last->headers_out, needs.headers_out);
    packer.table(last->err_headers_out, needs.headers_out);
    packer.table(last->subprocess_env, needs.env);
    packer.table(last->notes, needs.notes);
    packer.table(ssl_variables(last), everything());
    block_ = packer.take();
}

std::string LogRecord::about() const {
    request_rec r{};
    conn_rec c{};
    Unpacker unpacker(block_.get());
    const char* const backend_url = unpacker.text();
    each_text(r, c, [&unpacker](auto& field, std::string_view) {
        field = const_cast<char*>(unpacker.text());
    });
    return name_of_tunnel(r.useragent_ip, client_port_, backend_url);
}

void LogRecord::write(const TunnelReport& report, apr_pool_t* pool) const {
    ap_HOOK_log_transaction_t* const write_line = log_config_function();
    if (write_line == nullptr) {
        return;
    }
    auto* const c = static_cast<conn_rec*>(apr_pcalloc(pool, sizeof(conn_rec)));
    auto* const r = static_cast<request_rec*>(apr_pcalloc(pool, sizeof(request_rec)));
    Unpacker unpacker(block_.get());
    unpacker.text();  // the backend's URL is for the error log
    each_text(*r, *c, [&unpacker](auto& field, std::string_view) {
        // httpd's fields differ in const only; nobody writes through them.
        field = const_cast<char*>(unpacker.text());
    });

    c->pool = pool;
    c->base_server = server_;
    c->id = connection_id_;
    c->conn_config = static_cast<ap_conf_vector_t*>(ap_create_conn_config(pool));
    c->notes = apr_table_make(pool, 1);
    c->client_addr = address(c->client_ip, client_port_, pool);
    c->local_addr = address(c->local_ip, local_port_, pool);
    c->keepalive = AP_CONN_CLOSE;
    c->keepalives = keepalives_;
    c->aborted = report.reason == EndReason::client_lost ? 1 : 0;

    r->pool = pool;
    r->connection = c;
    r->server = server_;
    r->request_time = request_time_;
    r->status = status_;
    r->proto_num = proto_num_;
    r->method_number = method_number_;
    r->useragent_addr = std::string_view(r->useragent_ip ? r->useragent_ip : "") ==
                                (c->client_ip ? c->client_ip : "")
                            ? c->client_addr
                            : address(r->useragent_ip, 0, pool);
    r->bytes_sent = static_cast<apr_off_t>(report.client.wire_bytes_written);
    r->headers_in = unpacker.table(pool);
    r->headers_out = unpacker.table(pool);
    r->err_headers_out = unpacker.table(pool);
    r->subprocess_env = unpacker.table(pool);
    r->notes = apr_table_overlay(pool, unpacker.table(pool), unpacker.table(pool));
    r->trailers_in = apr_table_make(pool, 1);
    r->trailers_out = apr_table_make(pool, 1);
    r->per_dir_config = server_->lookup_defaults;
    r->request_config = static_cast<ap_conf_vector_t*>(ap_create_request_config(pool));
    set_tunnel_notes(pool, r->notes, report);

    give_logio_counters(c, bytes_in_ + static_cast<apr_off_t>(report.client.wire_bytes_read),
                        bytes_out_ + static_cast<apr_off_t>(report.client.wire_bytes_written));
    write_line(r);
}

void log_request_now(request_rec* r) {
    ap_run_log_transaction(r);
    record_of(r).logged = true;
}

int log_departed_request(request_rec* r) {
    const RequestRecord* const request = find_record(r);
    if (request != nullptr && request->logged) {
        return DONE;
    }
    const ConnectionRecord* const connection = record_of(r->connection);
    if (connection == nullptr || !connection->departure) {
        return DECLINED;
    }
    run_other_loggers(r);
    return DONE;
}

}  // namespace wsp
