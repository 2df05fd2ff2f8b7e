// The page of a 426. httpd's own text for that status tells visitors to use https (http_protocol.c
// get_canned_error_string), which is wrong here.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// `r` is about to be answered 426. Gives the answer a page that says which protocol to use, unless the administrator
// has an ErrorDocument for 426.
void explain_upgrade_required(request_rec* r);

}  // namespace wsp
