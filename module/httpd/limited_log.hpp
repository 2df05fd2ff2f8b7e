// Warnings that may come with every handshake. Each mapping and number has a few lines a minute at level warn; what is
// beyond that is written at info, and the next warning says how many there were.
#pragma once

#include <array>
#include <iterator>
#include <string>
#include <string_view>

#include "base/log_level.hpp"
#include "base/log_rate_limit.hpp"
#include "httpd/httpd.hpp"

namespace wsp {

// The messages that are limited.
constexpr std::string_view kLimitedMessages[] = {
    "WSP0106", "WSP0108", "WSP0112", "WSP0113", "WSP0114", "WSP0115", "WSP0116", "WSP0117",
    "WSP0118", "WSP0119", "WSP0120", "WSP0121", "WSP0122", "WSP0123", "WSP0124", "WSP0126",
    "WSP0127", "WSP0130", "WSP0131", "WSP0132", "WSP0135", "WSP0138", "WSP0139", "WSP0146",
    "WSP0150", "WSP0151", "WSP0152", "WSP0153", "WSP0155", "WSP0156", "WSP0157", "WSP0158",
    "WSP0172", "WSP0192", "WSP0198", "WSP0201"};

// What httpd calls a level of lib's tables.
constexpr int httpd_level(LogLevel level) {
    static_assert(static_cast<int>(LogLevel::error) == APLOG_ERR &&
                      static_cast<int>(LogLevel::debug) == APLOG_DEBUG,
                  "both count as syslog does");
    return static_cast<int>(level);
}

// The gates of one mapping, or of what belongs to none. Any thread.
class WarningGates {
  public:
    // The gate of the message with this number ("WSP0114"); those without one of their own share one.
    LogRateLimit& of(std::string_view id) noexcept;
    // Over all of them: see LogRateLimit.
    std::uint64_t take_left_out() noexcept;

  private:
    std::array<LogRateLimit, std::size(kLimitedMessages) + 1> gates_;  // one for the rest
};

// Of this child process, for lines that belong to no mapping.
WarningGates& gates_of_child() noexcept;

// How a line that passes the gate is written: where its level is not warn, or an errno belongs to it.
struct LogAs {
    int level = APLOG_WARNING;
    apr_status_t status = APR_SUCCESS;
};

// Writes `line`, which begins with its number, about the request. Its level is `as`'s, or info where the gate says so.
void warn(request_rec* r, LogRateLimit& gate, const char* line, LogAs as = {});
// The same with the gate of the child for this number.
void warn(request_rec* r, const char* line, LogAs as = {});

// What stands behind a line that a gate has let through: what was left out, and what will be.
std::string text_about_limit(const LogRateLimit::Verdict& verdict);

// The child ends: says what the warnings have left out that nobody has said yet. Null: of what belongs to no mapping.
void log_left_out(server_rec* server, WarningGates& gates, const char* mapping);

}  // namespace wsp
