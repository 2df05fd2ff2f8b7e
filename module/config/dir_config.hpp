// What the directives say for one request.
#pragma once

#include "config/config.h"
#include "httpd/httpd.hpp"

namespace wsp {

// What httpd has merged for the request's directory and location. Unset fields are WSP_UNSET; wsp_dir_config_resolved()
// puts their defaults in.
inline const wsp_dir_config& dir_config_of(const request_rec* r) {
    return *static_cast<const wsp_dir_config*>(
        ap_get_module_config(r->per_dir_config, &proxy_websocket_module));
}

}  // namespace wsp
