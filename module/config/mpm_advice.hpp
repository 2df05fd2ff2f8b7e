// Notices at httpd's start about settings of the MPM that are bad for tunnels.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// post_config: logs which settings will stop children that hold tunnels, and the line to write instead. To the MPM a
// child full of tunnels looks idle. Also logs that ProxyWebsocketHandshakeThreads limits nothing. Once per start, and
// only if something is mapped to ws:// or by ProxyPassWS. Main thread.
void advise_on_mpm_settings(server_rec* main_server);

}  // namespace wsp
