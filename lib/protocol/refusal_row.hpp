// The columns of every table of refusals: what a refused handshake is answered, and what the log says about it.
#pragma once

#include <string_view>

#include "base/log_level.hpp"

namespace wsp {

struct RefusalRow {
    std::string_view name;
    // Of the log line, "WSP0111": one for each cause, which docs/messages.md explains.
    std::string_view number;
    // 0: the caller knows it.
    int http_status;
    // warning: the log gets a few a minute, see LogRateLimit.
    LogLevel level;
    // A sentence for the log. {} stands for what only the caller knows.
    std::string_view text;
    // What a person can do. Empty: nothing, or only the caller knows it.
    std::string_view hint;
};

// WSP_ROW of such a table where its rows are made.
#define WSP_REFUSAL_ROW(name, number, http_status, level, text, hint) \
    {#name, number, http_status, level, text, hint},

}  // namespace wsp
