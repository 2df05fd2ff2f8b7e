// All the workers that a configuration has, balancer members among them.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// Calls visit(const proxy_worker*) for each worker of each virtual host.
template <class Visit>
void each_worker(const server_rec* server, Visit visit) {
    for (; server != nullptr; server = server->next) {
        const auto* const proxy = static_cast<const proxy_server_conf*>(
            ap_get_module_config(server->module_config, &proxy_module));
        const auto* const workers = reinterpret_cast<const proxy_worker*>(proxy->workers->elts);
        for (int i = 0; i < proxy->workers->nelts; ++i) {
            visit(&workers[i]);
        }
        const auto* const balancers =
            reinterpret_cast<const proxy_balancer*>(proxy->balancers->elts);
        for (int i = 0; i < proxy->balancers->nelts; ++i) {
            for (int j = 0; j < balancers[i].workers->nelts; ++j) {
                visit(APR_ARRAY_IDX(balancers[i].workers, j, const proxy_worker*));
            }
        }
    }
}

}  // namespace wsp
