// On what terms a request's tunnel lives: what the configuration and the environment say, resolved.
#pragma once

#include "config.h"
#include "httpd.hpp"
#include "tunnel/policy.hpp"

namespace wsp {

// `config` is resolved. Where it sets no idle timeout, the worker's timeout= or ProxyTimeout counts, but not the general
// Timeout: that one is for requests.
Policy policy_for(request_rec* r, const proxy_worker& worker, const proxy_server_conf& conf,
                  const wsp_dir_config& config);

// ProxyWebsocketMaxLifetime less its jitter, or what is left until the environment variable ws-expires where that is
// shorter; 0: no limit. A ws-expires that is no number is logged and ignored.
DurationUs lifetime_for(request_rec* r, const wsp_dir_config& config);

}  // namespace wsp
