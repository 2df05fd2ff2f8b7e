// The token that orders from a browser must have. A page of another site can make a browser POST to the status page,
// with the operator's password or certificate, but it cannot read the page, and so does not know the token.
//
// It is an HMAC of the operator's name and the time, with a secret that the parent process makes once. All processes
// have that secret, across restarts, in memory that they share.
#pragma once

#include <string>
#include <string_view>

#include "httpd/httpd.hpp"

namespace wsp {

// post_config, main thread: makes the secret.
void prepare_action_token(server_rec* main_server);

// The token for this request's user, which the page shows. Valid for 12 hours at least and 24 at most, unless httpd is
// stopped before. "": there is no secret, and nobody can act from a browser. Request thread; may throw bad_alloc.
std::string action_token_for(const request_rec* r);

// Whether `token` is one that the page has shown to this user. Takes as long whatever is wrong with it.
bool is_action_token(const request_rec* r, std::string_view token);

}  // namespace wsp
