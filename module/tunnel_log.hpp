// The error log's lines about tunnels, in one wording for both pumps.
#pragma once

#include <string>

#include "httpd.hpp"
#include "tunnel/report.hpp"

namespace wsp {

// "tunnel ended: ..." with who, why, how long and how much; at info for routine ends, at warning for broken rules and
// for ends that the server's own limits brought about for lack of something. `about` tells which tunnel.
void log_end_of_tunnel(server_rec* server, const std::string& about, const TunnelReport& report);

// Sets %{ws-close-code}n, %{ws-closed-by}n, %{ws-messages-in}n and %{ws-messages-out}n.
void set_tunnel_notes(apr_pool_t* pool, apr_table_t* notes, const TunnelReport& report);

}  // namespace wsp
