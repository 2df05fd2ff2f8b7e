// mod_ssl's items of log formats, %{...}x and %{...}c, for tunnels. When the line of a tunnel is written, mod_ssl has
// its TLS connection no longer. So the variables that the formats name are looked up at the handoff, and kept as notes
// of the copied request.
#pragma once

#include "base/log_needs.hpp"
#include "httpd/httpd.hpp"

namespace wsp {

// pre_config, after mod_ssl's: replaces mod_ssl's handlers of %{...}x and %{...}c. Ours answer from the notes for
// tunnels, and ask mod_ssl for all other requests. Main thread.
void wrap_ssl_log_items(apr_pool_t* pool);

// The notes for a request whose connection mod_ssl still has. Request thread; does not block.
apr_table_t* ssl_variables(request_rec* r, const LogNeeds::Names& wanted);

}  // namespace wsp
