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

void LogRecord::write(const TunnelReport& report, apr_pool_t* pool) const {
    ap_HOOK_log_transaction_t* const write_line = log_config_function();
    if (write_line == nullptr) {
        return;
    }
    Unpacker unpacker(block());
    unpack_identity(unpacker);
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

}  // namespace wsp
