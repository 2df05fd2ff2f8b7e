// ProxyWebsocketTag: whose tunnel it is.
#pragma once

#include "config/config.h"
#include "httpd/httpd.hpp"
#include "httpd/limited_log.hpp"

namespace wsp {

// Evaluates the directive's expression for a request whose 101 has been taken over into r->headers_out. Returns a text
// in the request's pool: clean_text(), "" without a tag. An expression that fails is logged (WSP0198, through `gate`),
// and the tunnel has no tag. Request thread; blocks as long as the expression's functions do.
const char* tag_of(request_rec* r, const wsp_dir_config& config, LogRateLimit& gate);

}  // namespace wsp
