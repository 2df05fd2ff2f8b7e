// Limits of mod_qos on connections and requests. They do not count a tunnel that has left its request thread.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// post_config: if tunnels may leave their request threads, warns about the first line that limits how many connections
// or requests there may be at a time. mod_qos 11.63 and 11.70 have no function that would count a tunnel. Once per
// start.
void warn_of_mod_qos_limits(server_rec* main_server);

}  // namespace wsp
