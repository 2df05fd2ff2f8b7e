// What operators do by POST to the status page: close tunnels, pause new ones, resume (exposition/action_request.hpp).
#pragma once

#include "httpd/httpd.hpp"
#include "status/status_source.hpp"

namespace wsp {

// ProxyWebsocketStatusActions.
bool are_actions_on(const request_rec* r);

// A POST. Refuses it, or carries it out and logs it (WSP0196), and answers. httpd has judged by then who may come here.
// Request thread; blocks for as long as the body takes to arrive, and for Survey::kPatience.
int handle_action(request_rec* r, StatusSource& source);

}  // namespace wsp
