// The workers of a configuration, and those of their parameters that stay as they are. What mod_proxy changes in a
// worker is in upstream/.
#pragma once

#include <cstring>
#include <string_view>

#include "httpd/httpd.hpp"

namespace wsp {

inline const char* scheme_of(const proxy_worker& worker) {
    return worker.s->scheme;
}

// upgrade=: the protocols that the worker lets through.
inline const char* upgrade_parameter_of(const proxy_worker& worker) {
    return worker.s->upgrade;
}

// What mod_proxy has mapped a request to, such as "ws://127.0.0.1:8000/chat"; null: nothing.
inline const char* proxied_url_of(const request_rec* r) {
    static constexpr std::string_view kPrefix = "proxy:";
    const bool mapped =
        r->filename != nullptr && std::strncmp(r->filename, kPrefix.data(), kPrefix.size()) == 0;
    return mapped ? r->filename + kPrefix.size() : nullptr;
}

// nofailover=On: a session stays with its member, whatever becomes of that.
inline bool binds_sessions(const proxy_balancer& balancer) {
    return balancer.s->sticky_force != 0;
}

// Calls visit(proxy_worker*) for each member of the balancer.
template <class Visit>
void each_member(const proxy_balancer& balancer, Visit visit) {
    for (int i = 0; i < balancer.workers->nelts; ++i) {
        visit(APR_ARRAY_IDX(balancer.workers, i, proxy_worker*));
    }
}

// Calls visit(proxy_worker*) for each worker of one virtual host.
template <class Visit>
void each_worker_of(const server_rec* server, Visit visit) {
    const auto* const proxy = static_cast<const proxy_server_conf*>(
        ap_get_module_config(server->module_config, &proxy_module));
    auto* const workers = reinterpret_cast<proxy_worker*>(proxy->workers->elts);
    for (int i = 0; i < proxy->workers->nelts; ++i) {
        visit(&workers[i]);
    }
    const auto* const balancers = reinterpret_cast<const proxy_balancer*>(proxy->balancers->elts);
    for (int i = 0; i < proxy->balancers->nelts; ++i) {
        each_member(balancers[i], visit);
    }
}

// The same for each worker of each virtual host.
template <class Visit>
void each_worker(const server_rec* server, Visit visit) {
    for (; server != nullptr; server = server->next) {
        each_worker_of(server, visit);
    }
}

// The balancer that a request is mapped to; null: it is mapped to something else.
inline const proxy_balancer* balancer_of(request_rec* r) {
    auto* const proxy = static_cast<proxy_server_conf*>(
        ap_get_module_config(r->server->module_config, &proxy_module));
    const char* const url = proxied_url_of(r);
    return url != nullptr ? ap_proxy_get_balancer(r->pool, proxy, url, 1) : nullptr;
}

}  // namespace wsp
