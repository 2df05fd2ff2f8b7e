// Resolves a tunnel's terms from the configuration and the request's environment.
#pragma once

#include "config/config.h"
#include "httpd/httpd.hpp"
#include "tunnel/terms.hpp"

namespace wsp {

class MemberWatch;
class SharedPolicies;

// May throw bad_alloc, so it must be called before the client is told that the tunnel is open. The terms have no group
// and no allowed_rsv yet.
//
// `config` is resolved. If it sets no idle timeout, but the worker's timeout= or ProxyTimeout is set, the larger of
// that and Timeout is the idle timeout, as with stock httpd (proxy_util.c ap_proxy_tunnel_create,
// mod_proxy_wstunnel.c). Timeout alone sets none: its default of 60 s would end tunnels that nobody meant to limit.
//
// The lifetime is ProxyWebsocketMaxLifetime less its jitter, or the time until the environment variable ws-expires if
// that is shorter. A ws-expires that is no number is logged and ignored.
TunnelTerms resolve_terms(SharedPolicies& policies, request_rec* r, const proxy_worker& worker,
                          const proxy_server_conf& conf, const wsp_dir_config& config, bool raw);

// The group that ends a tunnel to `worker` when its member is taken out. May throw bad_alloc: see above.
TunnelGroup::Subscription group_for(MemberWatch& members, proxy_worker* worker,
                                    const wsp_dir_config& config);

}  // namespace wsp
