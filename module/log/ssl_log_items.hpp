// mod_ssl's items of log formats, %{...}x and %{...}c, for tunnels: their TLS connection is not mod_ssl's any more when their
// line is written. What the formats name is looked up at the handover and travels as notes.
#pragma once

#include "base/log_needs.hpp"
#include "httpd/httpd.hpp"

namespace wsp {

// pre_config, after mod_ssl's: from here on we answer %{...}x and %{...}c, for tunnels from the notes, for everybody else from
// mod_ssl.
void wrap_ssl_log_items(apr_pool_t* pool);

// The notes for a request whose connection is still mod_ssl's.
apr_table_t* ssl_variables(request_rec* r, const LogNeeds::Names& wanted);

}  // namespace wsp
