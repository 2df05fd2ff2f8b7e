// Each number has a gate of its own, so that a flood of one warning does not hide another.
#include "httpd/limited_log.hpp"

#include <iterator>

#include "base/clock.hpp"

namespace wsp {
namespace {

constexpr std::size_t kIdSize = 7;

// Static: every folder warns about requests, even where the child had no memory for an object that could own this
// (WSP0146).
WarningGates of_child;

}  // namespace

LogRateLimit& WarningGates::of(std::string_view id) noexcept {
    std::size_t place = 0;
    while (place < std::size(kLimitedMessages) && kLimitedMessages[place] != id) {
        ++place;
    }
    return gates_[place];
}

std::uint64_t WarningGates::take_left_out() noexcept {
    std::uint64_t sum = 0;
    for (LogRateLimit& gate : gates_) {
        sum += gate.take_left_out();
    }
    return sum;
}

WarningGates& gates_of_child() noexcept {
    return of_child;
}

std::string text_about_limit(const LogRateLimit::Verdict& verdict) {
    std::string text;
    if (verdict.left_out > 0) {
        text = " (" + std::to_string(verdict.left_out) + " more of these were left out before)";
    }
    if (verdict.is_last) {
        text += " (further ones are at LogLevel info for up to a minute)";
    }
    return text;
}

void warn(request_rec* r, LogRateLimit& gate, const char* line, LogAs as) {
    const LogRateLimit::Verdict verdict = gate.allow(monotonic_now());
    ap_log_rerror(APLOG_MARK, verdict.allowed ? as.level : APLOG_INFO, as.status, r, "%s%s", line,
                  verdict.allowed ? text_about_limit(verdict).c_str() : "");
}

void warn(request_rec* r, const char* line, LogAs as) {
    warn(r, gates_of_child().of(std::string_view(line, kIdSize)), line, as);
}

void log_left_out(server_rec* server, WarningGates& gates, const char* mapping) {
    const std::uint64_t left_out = gates.take_left_out();
    if (left_out > 0) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server,
                     "WSP0141: this child process has left out %" APR_UINT64_T_FMT
                     " more warnings%s%s; LogLevel proxy_websocket:info has them all",
                     left_out, mapping != nullptr ? ", about requests mapped to " : "",
                     mapping != nullptr ? mapping : "");
    }
}

}  // namespace wsp
