// Words for tunnels: their lines in the error log, and their notes for the access log. The same for tunnels of pumps
// and tunnels that keep their threads.
#pragma once

#include <string>

#include "base/log_rate_limit.hpp"
#include "httpd/httpd.hpp"
#include "log/tunnel_identity.hpp"
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

// How the line about a tunnel's end is written.
struct EndLine {
    int level;
    std::string about_limit;  // what its rate limit has to say
};

// A warning, limited in rate, if the backend broke a rule or this server lacked something; otherwise info, also if a
// client broke a rule. Any thread; may throw bad_alloc.
EndLine end_line_of(const TunnelLog& log, EndReason reason);

// A copy of `r`, in its pool, for ap_log_rerror(). Without an ErrorLogFormat httpd writes the Referer behind each line
// (server/log.c do_errorlog_default). What is kept of a request has it only if an access log asks for it. So the copy
// has it only if an ErrorLogFormat does.
const request_rec* as_error_log_shows(const request_rec* r);

// Logs "tunnel ended: ..." about `r`, with who, why, how long and how much. May block.
void log_end_of_tunnel(const request_rec* r, const EndLine& line, const TunnelIdentity& identity,
                       const TunnelReport& report);

enum class TunnelMode { pumped, blocking };

// Sets the notes that are known when the tunnel opens, from the 101 in r->headers_out: %{ws-subprotocol}n and
// %{ws-extensions}n. Also for the requests that httpd has redirected to `r`. Request thread.
void set_opening_notes(request_rec* r);
// Sets all other notes. What a peer has written is clean_text().
void set_tunnel_notes(apr_pool_t* pool, apr_table_t* notes, const TunnelReport& report,
                      const TunnelIdentity& identity, TunnelMode mode);

// ProxyWebsocketLogOpen. After set_opening_notes(). Request thread; may block.
void log_open_tunnel(const request_rec* r, const TunnelIdentity& identity);

// The access log is blocked, and the memory for its lines is used up. These three may block.
void log_stuck_access_log();
// `log`, "access" or "error", has all lines again, except those of `lost` tunnels.
void log_caught_up(const char* log, std::size_t lost);
// The child ends before the access log has taken the lines of `lost` tunnels.
void log_lost_lines(std::size_t lost);

}  // namespace wsp
