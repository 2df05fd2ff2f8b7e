// Packs a request when its tunnel is handed off, and shows mod_log_config a copy of it when the tunnel has ended.
#include "log/log_record.hpp"

#include <cstring>
#include <string_view>

#include "base/log_needs.hpp"
#include "log/log_conditions.hpp"
#include "log/log_context.hpp"
#include "log/log_transaction.hpp"
#include "log/logio_counters.hpp"
#include "log/request_copy.hpp"
#include "log/ssl_log_items.hpp"
#include "log/tunnel_log.hpp"

namespace wsp {
namespace {

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

}  // namespace

LogRecord::LogRecord(request_rec* last, const TunnelIdentity& identity, const TunnelLog& log)
    : log_(log) {
    const LogContext& context = log_context_of(last->server);
    const LogNeeds& needs = context.needs;
    request_rec* const first = first_request_of(last);
    conn_rec* const c = first->connection;
    const apr_table_t* const answers = context.conditions.answers_for(first);
    ConnectionNumbers numbers{c->id,
                              c->keepalives,
                              port_of(c->client_addr),
                              port_of(c->local_addr),
                              ap_default_port(last),
                              first != last,
                              0,
                              0};
    if (context.logio_layout_holds) {
        read_logio_counters(c, numbers.bytes_in, numbers.bytes_out);
    }

    const auto all = [](const char*) { return true; };
    Packer packer;
    pack_identity(packer, identity);
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

LogRecord::LogRecord(const TunnelLog& log, std::string_view block)
    : log_(log), size_(block.size()), block_(new char[block.size()]) {
    std::memcpy(block_.get(), block.data(), block.size());
}

TunnelIdentity LogRecord::identity() const {
    Unpacker unpacker(block());
    return unpack_identity(unpacker);
}

// The connection and its requests, with the level of the request's own configuration.
struct LogRecord::Copy {
    ConnectionNumbers numbers;
    conn_rec* c;
    request_rec* first;
    request_rec* last;
    const apr_table_t* answers;
};

LogRecord::Copy LogRecord::unpack(apr_pool_t* pool) const {
    Unpacker unpacker(block());
    unpack_identity(unpacker);
    Copy copy{};
    copy.c = unpack_connection(unpacker, copy.numbers, log_.server, pool);
    copy.answers = unpacker.table(pool);
    const apr_table_t* const ssl_notes = unpacker.table(pool);
    server_rec* const server = with_port(log_.server, copy.numbers.default_port, pool);

    copy.first = copy.last = unpack_request(unpacker, copy.c, server);
    copy.last->notes = apr_table_overlay(pool, copy.last->notes, ssl_notes);
    if (copy.numbers.redirected) {
        copy.first = unpack_request(unpacker, copy.c, server);
        copy.first->next = copy.last;
        copy.last->prev = copy.first;
    }
    auto* const logging =
        static_cast<ap_logconf*>(apr_pmemdup(pool, &log_.server->log, sizeof(ap_logconf)));
    logging->level = log_.level;
    logging->module_levels = nullptr;
    for (request_rec* const r : {copy.first, copy.last}) {
        r->log = logging;
        r->log_id = identity().id;
    }
    return copy;
}

void LogRecord::write(const TunnelReport& report, apr_pool_t* pool) const {
    ap_HOOK_log_transaction_t* const write_line = log_config_function();
    if (write_line == nullptr) {
        return;
    }
    const Copy copy = unpack(pool);
    copy.c->aborted = report.reason == EndReason::client_lost ? 1 : 0;
    copy.last->bytes_sent = static_cast<apr_off_t>(report.client.wire_bytes_written);
    for (request_rec* const r : {copy.first, copy.last}) {
        set_tunnel_notes(pool, r->notes, report, identity(), TunnelMode::pumped);
    }
    give_answers(copy.first, copy.answers);

    give_logio_counters(
        copy.c, copy.numbers.bytes_in + static_cast<apr_off_t>(report.client.wire_bytes_read),
        copy.numbers.bytes_out + static_cast<apr_off_t>(report.client.wire_bytes_written));
    write_line(copy.first);
}

void LogRecord::write_end(const TunnelReport& report, apr_pool_t* pool) const {
    const EndLine line = end_line_of(log_, report.reason);
    if (line.level <= log_.level) {
        const Copy copy = unpack(pool);
        set_tunnel_notes(pool, copy.last->notes, report, identity(), TunnelMode::pumped);
        log_end_of_tunnel(as_error_log_shows(copy.last), line, identity(), report);
    }
}

void LogRecord::log_taken_over() const {
    if (log_.level < APLOG_DEBUG) {
        return;
    }
    apr_pool_t* pool = nullptr;
    if (apr_pool_create(&pool, nullptr) == APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, as_error_log_shows(unpack(pool).last),
                      "WSP0171: a tunnel is taken over from another child process: %s",
                      about().c_str());
        apr_pool_destroy(pool);
    }
}

}  // namespace wsp
