// Turns a tunnel's report into text.
#include "log/tunnel_log.hpp"

#include <cinttypes>
#include <string_view>

#include "httpd/limited_log.hpp"

namespace wsp {
namespace {

// A copy of the server with the level of the request's configuration. httpd asks a server for its log, its name and the
// level. Only for the line that is being written.
server_rec logging_as(const TunnelLog& log) {
    server_rec server = *log.server;
    server.log.level = log.level;
    server.log.module_levels = nullptr;
    return server;
}

const char* violation_text(const TunnelReport& report) {
    return report.violation == Violation::none ? "" : text_of(report.violation).data();
}

}  // namespace

void log_end_of_tunnel(const TunnelLog& log, const char* about, const TunnelReport& report) {
    int level = httpd_level(row_of(report.reason).level);
    LogRateLimit::Verdict verdict{};
    if (level <= APLOG_WARNING) {
        verdict = log.gate->allow(monotonic_now());
        level = verdict.allowed ? level : APLOG_INFO;
    }
    server_rec server = logging_as(log);
    ap_log_error(
        APLOG_MARK, level, report.os_error, &server,
        "WSP0201: tunnel ended: %s: %s%s%s (close code %d, %" PRId64 " ms, messages %" PRIu64
        " in %" PRIu64 " out, bytes %" PRIu64 " in %" PRIu64 " out)%s",
        about, text_of(report.reason).data(), report.violation == Violation::none ? "" : ": ",
        violation_text(report), report.close_code, milliseconds_of(report.duration),
        report.client.messages, report.backend.messages, report.client.wire_bytes_read,
        report.client.wire_bytes_written, verdict.allowed ? text_about_limit(verdict).c_str() : "");
}

void log_stuck_access_log() {
    ap_log_error(
        APLOG_MARK, APLOG_WARNING, 0, ap_server_conf,
        "WSP0202: the access log takes no lines, and too many tunnels wait for it: lines of "
        "tunnels that end from now on are lost; look at its program or disk");
}

void log_caught_up(const char* log, std::size_t lost) {
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, ap_server_conf,
                 "WSP0203: the %s log takes lines again; the lines of %" APR_SIZE_T_FMT
                 " tunnels are lost",
                 log, lost);
}

void log_lost_lines(std::size_t lost) {
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, ap_server_conf,
                 "WSP0204: the child ends, and the access log has not taken the lines of "
                 "%" APR_SIZE_T_FMT " tunnels: they are lost",
                 lost);
}

void set_tunnel_notes(apr_pool_t* pool, apr_table_t* notes, const TunnelReport& report) {
    apr_table_setn(notes, "ws-close-code", apr_itoa(pool, report.close_code));
    apr_table_setn(notes, "ws-closed-by", closed_by(report.reason).data());
    apr_table_setn(notes, "ws-messages-in", apr_psprintf(pool, "%" PRIu64, report.client.messages));
    apr_table_setn(notes, "ws-messages-out",
                   apr_psprintf(pool, "%" PRIu64, report.backend.messages));
}

}  // namespace wsp
