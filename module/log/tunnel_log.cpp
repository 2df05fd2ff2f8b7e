// Turns a tunnel's report into text.
#include "log/tunnel_log.hpp"

#include <cinttypes>
#include <string_view>
#include <utility>

#include "httpd/limited_log.hpp"
#include "httpd/request_headers.hpp"
#include "log/log_context.hpp"
#include "protocol/clean_text.hpp"

namespace wsp {
namespace {

// Of what endpoints say in headers and Closes; a reason has 123 bytes at most.
constexpr std::size_t kLongestNote = 200;

constexpr char kSubprotocolNote[] = "ws-subprotocol";
constexpr char kExtensionsNote[] = "ws-extensions";

const char* violation_text(const TunnelReport& report) {
    return report.violation == Violation::none ? "" : text_of(report.violation).data();
}

}  // namespace

EndLine end_line_of(const TunnelLog& log, EndReason reason) {
    const int level = httpd_level(row_of(reason).level);
    if (level > APLOG_WARNING) {
        return {level, {}};
    }
    const LogRateLimit::Verdict verdict = log.gate->allow(monotonic_now());
    return verdict.allowed ? EndLine{level, text_about_limit(verdict)} : EndLine{APLOG_INFO, {}};
}

const request_rec* as_error_log_shows(const request_rec* r) {
    auto* const shown = static_cast<request_rec*>(apr_pmemdup(r->pool, r, sizeof(request_rec)));
    if (!log_context_of(r->server).error_log_needs.headers_in.wants("Referer")) {
        shown->headers_in = apr_table_copy(r->pool, r->headers_in);
        apr_table_unset(shown->headers_in, "Referer");
    }
    return shown;
}

void log_end_of_tunnel(const request_rec* r, const EndLine& line, const TunnelIdentity& identity,
                       const TunnelReport& report) {
    ap_log_rerror(
        APLOG_MARK, line.level, report.os_error, r,
        "WSP0201: tunnel ended: %s: %s%s%s (close code %d, %" PRId64 " ms, messages %" PRIu64
        " in %" PRIu64 " out, bytes %" PRIu64 " in %" PRIu64 " out)%s",
        name_of_tunnel(identity).c_str(), text_of(report.reason).data(),
        report.violation == Violation::none ? "" : ": ", violation_text(report), report.close_code,
        milliseconds_of(report.duration), report.client.messages, report.backend.messages,
        report.client.wire_bytes_read, report.client.wire_bytes_written, line.about_limit.c_str());
}

void log_open_tunnel(const request_rec* r, const TunnelIdentity& identity) {
    const auto or_none = [](const char* text) {
        return text != nullptr && *text != '\0' ? text : "none";
    };
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                  "WSP0195: tunnel opened: %s (subprotocol %s, extensions %s, tag %s)",
                  name_of_tunnel(identity).c_str(),
                  or_none(apr_table_get(r->notes, kSubprotocolNote)),
                  or_none(apr_table_get(r->notes, kExtensionsNote)), or_none(identity.tag));
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

void set_opening_notes(request_rec* r) {
    for (const auto& [note, field] : {std::pair(kSubprotocolNote, "Sec-WebSocket-Protocol"),
                                      std::pair(kExtensionsNote, "Sec-WebSocket-Extensions")}) {
        const TableHeaders headers(r->pool, r->headers_out);
        const std::string value = clean_text(headers.get(field), kLongestNote);
        for (request_rec* each = r; each != nullptr && !value.empty(); each = each->prev) {
            apr_table_set(each->notes, note, value.c_str());
        }
    }
}

void set_tunnel_notes(apr_pool_t* pool, apr_table_t* notes, const TunnelReport& report,
                      const TunnelIdentity& identity, TunnelMode mode) {
    const auto text = [&](const char* name, const char* value) {
        if (*value != '\0') {
            apr_table_setn(notes, name, value);
        }
    };
    const auto number = [&](const char* name, std::uint64_t value) {
        apr_table_setn(notes, name, apr_psprintf(pool, "%" PRIu64, value));
    };
    number("ws-close-code", report.close_code);
    text("ws-close-reason",
         apr_pstrdup(pool, clean_text(report.close_reason.text(), kLongestNote).c_str()));
    text("ws-closed-by", closed_by(report.reason).data());
    number("ws-messages-in", report.client.messages);
    number("ws-messages-out", report.backend.messages);
    number("ws-bytes-in", report.client.wire_bytes_read);
    number("ws-bytes-out", report.client.wire_bytes_written);
    number("ws-duration-ms", static_cast<std::uint64_t>(milliseconds_of(report.duration)));
    if (report.client_rtt > 0) {
        apr_table_setn(notes, "ws-rtt-ms",
                       apr_psprintf(pool, "%" PRId64 ".%03d", report.client_rtt / kMillisecond,
                                    static_cast<int>(report.client_rtt % kMillisecond)));
    }
    text("ws-backend", identity.backend);
    text("ws-mode", mode == TunnelMode::pumped ? "pumped" : "blocking");
    text("ws-tag", identity.tag);
}

}  // namespace wsp
