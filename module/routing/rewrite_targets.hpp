// Finds rewrite rules with "ws:/host" instead of "ws://host". To mod_rewrite that is a path on this server, not a URL,
// and its [P] sends the request to this server again. Most such rules are found when httpd starts, the others by their
// requests.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// check_config, which httpd -t runs too: warns about the first RewriteRule to "ws:/host", and names its line. httpd
// starts all the same, since a site may have worked with such a rule before. A rule with a variable as host is found by
// its requests. Main thread.
void warn_of_one_slash_rules(server_rec* main_server);

// mod_proxy's canon_handler, for any scheme: returns true, and logs it, if a rewrite rule has turned the request into
// "http://this-server/...ws:/host". Not if the client itself has asked for such a path. Request thread.
bool leads_to_one_slash(request_rec* r, const char* url);

// A text to append to an error message about a directive's arguments; "" if they do not have this mistake. Main thread.
const char* advice_on_slashes(apr_pool_t* pool, const char* args);

}  // namespace wsp
