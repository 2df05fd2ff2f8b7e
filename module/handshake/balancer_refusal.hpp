// A handshake for which a balancer has no member. mod_proxy_balancer refuses it before the handler of handshakes is asked,
// so it is counted and explained here.
#pragma once

#include "handshake/services.hpp"
#include "httpd/httpd.hpp"

namespace wsp {

// mod_proxy's request_status hook, in the request's thread. `status`: what the client gets. `services`: null in a child
// without memory for them. May throw bad_alloc.
void explain_missing_member(const HandshakeServices* services, int status, request_rec* r);

}  // namespace wsp
