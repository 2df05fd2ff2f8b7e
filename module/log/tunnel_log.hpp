// The error log's lines about tunnels, in one wording for both pumps.
#pragma once

#include <string>

#include "base/log_rate_limit.hpp"
#include "httpd/httpd.hpp"
#include "tunnel/report.hpp"

namespace wsp {

// Whose log a tunnel's line goes to, and what of it: what the request's own configuration (LogLevel in a <Location>) had to
// say, kept beyond its end. Refers to what lives as long as the child.
struct TunnelLog {
    // `warnings`: of the mapping.
    TunnelLog(const request_rec* r, LogRateLimit& warnings)
        : server(r->server),
          gate(&warnings),
          level(ap_get_request_module_loglevel(r, APLOG_MODULE_INDEX)) {}

    server_rec* server;
    LogRateLimit* gate;
    int level;
};

// "192.0.2.7:50412 to ws://127.0.0.1:8000/chat": which tunnel; without the query, since tokens do
// not belong into logs. The address is the user agent's, where a proxy in front has told it.
std::string name_of_tunnel(const request_rec& r, const char* backend_url);

// "tunnel ended: ..." with who, why, how long and how much; at info for routine ends and for rules that a client broke, at
// warning, limited in rate, for those that a backend broke and where this server lacked something. `about` tells which
// tunnel.
void log_end_of_tunnel(const TunnelLog& log, const char* about, const TunnelReport& report);

// Sets %{ws-close-code}n, %{ws-closed-by}n, %{ws-messages-in}n and %{ws-messages-out}n.
void set_tunnel_notes(apr_pool_t* pool, apr_table_t* notes, const TunnelReport& report);

// The access log has begun to take no lines, and memory for them is used up.
void log_stuck_access_log();
// `log`, "access" or "error", has everything again but the lines of `lost` tunnels.
void log_caught_up(const char* log, std::size_t lost);
// The child ends before the access log has taken the lines of `lost` tunnels.
void log_lost_lines(std::size_t lost);

}  // namespace wsp
