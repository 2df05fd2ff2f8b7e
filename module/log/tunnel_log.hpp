// Words for tunnels: their lines in the error log, and their notes for the access log. The same for tunnels of pumps
// and tunnels that keep their threads.
#pragma once

#include "base/log_rate_limit.hpp"
#include "httpd/httpd.hpp"
#include "tunnel/report.hpp"

namespace wsp {

// Which log a tunnel's line goes to, and at which level: that of the request's own configuration (LogLevel in a
// <Location>), kept after the request's end. Refers to objects that live as long as the child.
struct TunnelLog {
    // `warnings`: the rate limit of the mapping for WSP0201.
    TunnelLog(const request_rec* r, LogRateLimit& warnings)
        : server(r->server),
          gate(&warnings),
          level(ap_get_request_module_loglevel(r, APLOG_MODULE_INDEX)) {}
    // Of a tunnel that comes from another process.
    TunnelLog(server_rec* found, LogRateLimit& warnings, int its_level)
        : server(found), gate(&warnings), level(its_level) {}

    server_rec* server;
    LogRateLimit* gate;
    int level;
};

// Logs "tunnel ended: ..." with who, why, how long and how much. The level is warning, limited in rate, if the backend
// broke a rule or this server lacked something; otherwise info, also if a client broke a rule. `about` names the
// tunnel. May block.
void log_end_of_tunnel(const TunnelLog& log, const char* about, const TunnelReport& report);

// Sets %{ws-close-code}n, %{ws-closed-by}n, %{ws-messages-in}n and %{ws-messages-out}n.
void set_tunnel_notes(apr_pool_t* pool, apr_table_t* notes, const TunnelReport& report);

// The access log is blocked, and the memory for its lines is used up. These three may block.
void log_stuck_access_log();
// `log`, "access" or "error", has all lines again, except those of `lost` tunnels.
void log_caught_up(const char* log, std::size_t lost);
// The child ends before the access log has taken the lines of `lost` tunnels.
void log_lost_lines(std::size_t lost);

}  // namespace wsp
