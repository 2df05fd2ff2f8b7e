// The version: here and nowhere else. CMakeLists.txt reads it from this file, scripts/check-version compares it with
// CHANGELOG.md.
#pragma once

#define WSP_VERSION "0.1.0"

#include "httpd/httpd.hpp"

namespace wsp {

// post_config: a line in the error log at each start. It also puts the text into the module, where it can be found
// without httpd: grep -ao 'mod_proxy_websocket/[0-9.]*' mod_proxy_websocket.so
void log_version(server_rec* main_server);

// test_config, behind mod_so's: a line below the list of httpd -M.
void list_version(apr_pool_t* pool);

}  // namespace wsp
