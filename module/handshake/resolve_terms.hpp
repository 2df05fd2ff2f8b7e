// On what terms a request's tunnel lives: what the configuration and the environment say, resolved.
#pragma once

#include "config/config.h"
#include "httpd/httpd.hpp"
#include "tunnel/shared_policies.hpp"
#include "tunnel/terms.hpp"
#include "upstream/member_watch.hpp"

namespace wsp {

// Has to be called before the client hears that the tunnel is open, for it may throw bad_alloc. The terms have no group and no
// allowed_rsv yet.
//
// `config` is resolved. Where it sets no idle timeout but the worker's timeout= or ProxyTimeout is set, the larger of that
// and Timeout counts, as with stock httpd (proxy_util.c ap_proxy_tunnel_create, mod_proxy_wstunnel.c). Timeout alone, which
// is 60 s where nobody has said anything, does not.
//
// The lifetime is ProxyWebsocketMaxLifetime less its jitter, or what is left until the environment variable ws-expires where
// that is shorter. A ws-expires that is no number is logged and ignored.
TunnelTerms resolve_terms(SharedPolicies& policies, request_rec* r, const proxy_worker& worker,
                          const proxy_server_conf& conf, const wsp_dir_config& config, bool raw);

// What a tunnel to `worker` ends with. To be asked before its client hears that it is open. May throw bad_alloc.
TunnelGroup::Subscription group_for(MemberWatch& members, proxy_worker* worker,
                                    const wsp_dir_config& config);

}  // namespace wsp
