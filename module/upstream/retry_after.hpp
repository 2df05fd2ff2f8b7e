// Retry-After: when a client that was refused should come back.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// The seconds until mod_proxy tries the worker again. Sets nothing if the worker is not in error.
void set_retry_after(request_rec* r, const proxy_worker* worker);

// One second, for a client that was refused because there is no room now.
void set_retry_soon(request_rec* r);

// mod_proxy's request_status hook. For a handshake that no member of a balancer can serve: the seconds until the first
// member is tried again.
void advise_when_to_retry(int status, request_rec* r);

}  // namespace wsp
