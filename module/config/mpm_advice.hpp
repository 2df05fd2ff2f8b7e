// What an administrator should hear when httpd starts.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// post_config: says, with the line to change, when the MPM's settings will stop children that hold
// tunnels: to the MPM a child full of tunnels looks idle. Once per start, and only where something
// is mapped to ws:// or by ProxyPassWS.
void advise_on_mpm_settings(server_rec* main_server);

}  // namespace wsp
