// Handshakes pass mod_cache by: to it they are GETs, and a page that it has for the same URL would be served in place of
// the tunnel. Does nothing where mod_cache is not loaded.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// quick_handler, just before mod_cache's: serves a handshake whole, as http_request.c ap_process_async_request would
// without mod_cache. DECLINED for everything else.
int serve_past_cache(request_rec* r, int lookup);

// handler, just before mod_cache's (CacheQuickHandler Off): runs the handlers of a proxied handshake without it.
int handle_past_cache(request_rec* r);

}  // namespace wsp
