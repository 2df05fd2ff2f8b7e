// Keeps what the late log line needs, and has mod_log_config write it.
#include "log/access_log.hpp"

#include <string_view>

#include "base/log_needs.hpp"
#include "httpd/connection_context.hpp"
#include "httpd/request_context.hpp"
#include "log/log_conditions.hpp"
#include "log/logio_counters.hpp"
#include "log/request_copy.hpp"
#include "log/ssl_log_items.hpp"
#include "log/tunnel_log.hpp"
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

request_rec* first_of(request_rec* r) {
    while (r->prev != nullptr) {
        r = r->prev;
    }
    return r;
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

void learn_log_formats(apr_pool_t* pconf, apr_pool_t* ptemp, const server_rec* main_server) {
    needs = LogNeeds();
    learn_from(ap_conftree);
    learn_log_conditions(pconf, ptemp, main_server, needs);
}

LogRecord::LogRecord(request_rec* last, const char* backend_url, const TunnelLog& log) : log_(log) {
    request_rec* const first = first_of(last);
    conn_rec* const c = first->connection;
    const apr_table_t* const answers = answers_for_conditions(first);
    ConnectionNumbers numbers{c->id,
                              c->keepalives,
                              port_of(c->client_addr),
                              port_of(c->local_addr),
                              ap_default_port(last),
                              first != last,
                              0,
                              0};
    read_logio_counters(c, numbers.bytes_in, numbers.bytes_out);

    const auto all = [](const char*) { return true; };
    Packer packer;
    packer.text(name_of_tunnel(*last, backend_url).c_str());
    pack_connection(packer, *c, numbers, needs);
    packer.table(answers, all);
    packer.table(ssl_variables(last, needs.ssl), all);
    pack_request(packer, *last, needs);
    if (first != last) {
        pack_request(packer, *first, needs);
    }
    size_ = packer.size();
    block_ = packer.take();
}

const char* LogRecord::about() const {
    return Unpacker(block_.get()).text();
}

void LogRecord::write(const TunnelReport& report, apr_pool_t* pool) const {
    ap_HOOK_log_transaction_t* const write_line = log_config_function();
    if (write_line == nullptr) {
        return;
    }
    Unpacker unpacker(block_.get());
    unpacker.text();  // about() is for the error log
    ConnectionNumbers numbers{};
    conn_rec* const c = unpack_connection(unpacker, numbers, log_.server, pool);
    c->aborted = report.reason == EndReason::client_lost ? 1 : 0;
    const apr_table_t* const answers = unpacker.table(pool);
    const apr_table_t* const ssl_notes = unpacker.table(pool);
    server_rec* const server = with_port(log_.server, numbers.default_port, pool);

    request_rec* const last = unpack_request(unpacker, c, server);
    last->notes = apr_table_overlay(pool, last->notes, ssl_notes);
    last->bytes_sent = static_cast<apr_off_t>(report.client.wire_bytes_written);
    request_rec* first = last;
    if (numbers.redirected) {
        first = unpack_request(unpacker, c, server);
        first->next = last;
        last->prev = first;
    }
    for (request_rec* const r : {first, last}) {
        set_tunnel_notes(pool, r->notes, report);
    }
    give_answers(first, answers);

    give_logio_counters(
        c, numbers.bytes_in + static_cast<apr_off_t>(report.client.wire_bytes_read),
        numbers.bytes_out + static_cast<apr_off_t>(report.client.wire_bytes_written));
    write_line(first);
}

void log_request_now(request_rec* r) {
    request_rec* const first = first_of(r);  // as httpd does
    ap_run_log_transaction(first);
    request_context_of(first).logged = true;
}

int log_handed_off_request(request_rec* r) {
    const RequestContext* const request = find_request_context(r);
    if (request != nullptr && request->logged) {
        return DONE;
    }
    const ConnectionContext* const connection = connection_context_of(r->connection);
    if (connection == nullptr || !connection->handoff) {
        return DECLINED;
    }
    run_other_loggers(r);
    return DONE;
}

}  // namespace wsp
