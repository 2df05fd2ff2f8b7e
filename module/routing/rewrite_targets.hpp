// "ws:/host" for "ws://host": to mod_rewrite that is no URL but a path on this server, and its [P] sends
// the request to this server once more. Seen when httpd starts where that can be told, otherwise by the request.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// check_config (httpd -t comes as far as that): warns, with its line, of the first RewriteRule that leads
// to "ws:/host". It stops nobody: a site that has lived with such a rule starts with this module too. A
// rule whose host comes out of variables is left to the requests. Main thread.
void warn_of_one_slash_rules(server_rec* main_server);

// mod_proxy's canon_handler, for any scheme: true, logged, when a rewrite rule has turned the request
// into "http://this-server/...ws:/host". A path of that kind which the client itself asks for is its own affair.
bool leads_to_one_slash(request_rec* r, const char* url);

// What to tell with an error about a directive's arguments: a text to append, "" when this mistake is not among them.
const char* advice_on_slashes(apr_pool_t* pool, const char* args);

}  // namespace wsp
