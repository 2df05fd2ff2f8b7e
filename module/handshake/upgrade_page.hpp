// The page behind a 426. httpd's own text for that status tells visitors to come back with https (http_protocol.c
// get_canned_error_string), which helps nobody here.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// `r` is going to be answered 426: says in a page of ours what is spoken here. Not where the administrator has an
// ErrorDocument for 426.
void explain_upgrade_required(request_rec* r);

}  // namespace wsp
