// The workers of a configuration, and those of their parameters that stay as they are. What mod_proxy changes in a
// worker is in upstream/.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

inline const char* scheme_of(const proxy_worker& worker) {
    return worker.s->scheme;
}

// upgrade=: the protocols that the worker lets through.
inline const char* upgrade_parameter_of(const proxy_worker& worker) {
    return worker.s->upgrade;
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
        for (int j = 0; j < balancers[i].workers->nelts; ++j) {
            visit(APR_ARRAY_IDX(balancers[i].workers, j, proxy_worker*));
        }
    }
}

// The same for each worker of each virtual host.
template <class Visit>
void each_worker(const server_rec* server, Visit visit) {
    for (; server != nullptr; server = server->next) {
        each_worker_of(server, visit);
    }
}

}  // namespace wsp
