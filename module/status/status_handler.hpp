// The handler `websocket-status`: the page, its files, and the formats. Request thread.
#pragma once

#include "httpd/httpd.hpp"
#include "status/status_source.hpp"

namespace wsp {

// DECLINED unless the request is this handler's, and a GET, HEAD or POST; only a POST changes anything. `source`: null
// where this child had no memory for tunnels. `version`: of the module, for the page to show.
int handle_status(request_rec* r, StatusSource* source, const char* version);

}  // namespace wsp
