// Items of log formats for JSON. mod_log_config escapes what strangers write as \xhh, which JSON does not know. So
// these items, beside its own, write JSON values:
//
//   %{i:User-Agent}^js   what %{User-Agent}i says, as a string with its quotes, or null
//   %{n:ws-rtt-ms}^jn    what %{ws-rtt-ms}n says, as a number; null when it is none
//
// In front of the colon stands i, o, n or e; or a letter alone: u, m, U, q or H. For all requests, not only tunnels.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// pre_config, after mod_log_config's. Main thread.
void register_json_items(apr_pool_t* pconf);

}  // namespace wsp
