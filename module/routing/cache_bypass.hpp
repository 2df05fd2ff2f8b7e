// Keeps handshakes away from mod_cache. To mod_cache a handshake is a GET, and it would serve a page that it has for
// the same URL instead of a tunnel. Does nothing where mod_cache is not loaded. Request thread; blocks as long as the
// request's handlers do.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// quick_handler, just before mod_cache's: serves a handshake as http_request.c ap_process_async_request would without
// mod_cache. Returns its status. DECLINED for everything else.
int serve_past_cache(request_rec* r, int lookup);

// handler, just before mod_cache's (CacheQuickHandler Off): runs all handlers after ours but mod_cache's for a proxied
// handshake, and returns the status. DECLINED for everything else.
int handle_past_cache(request_rec* r);

}  // namespace wsp
