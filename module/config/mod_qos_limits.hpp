// Limits of other modules that count threads' connections and requests: a tunnel that has left httpd is neither to them.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// post_config: warns, with the line of the first, of mod_qos's limits on what is there at a time, where tunnels may leave
// their request threads. mod_qos 11.63 and 11.70 offer no function to count a tunnel in. Once per start.
void warn_of_mod_qos_limits(server_rec* main_server);

}  // namespace wsp
