// The section about tunnels on mod_status's page, and its lines in ?auto. Request thread.
#pragma once

#include "httpd/httpd.hpp"
#include "status/status_source.hpp"

namespace wsp {

// mod_status's hook; `flags` are its AP_STATUS_*. `source`: null where this child had no memory for tunnels.
int write_mod_status_section(request_rec* r, int flags, StatusSource* source);

}  // namespace wsp
