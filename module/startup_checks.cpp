// Looks at the configuration as a whole, once it has been read.
#include "startup_checks.hpp"

#include <string_view>

#include "config.h"

namespace wsp {
namespace {

bool is_websocket_worker(const proxy_worker* worker) {
    const std::string_view scheme(worker->s->scheme);
    return scheme == "ws" || scheme == "wss";
}

bool any_websocket_worker(const proxy_server_conf* proxy) {
    const auto* const workers = reinterpret_cast<const proxy_worker*>(proxy->workers->elts);
    for (int i = 0; i < proxy->workers->nelts; ++i) {
        if (is_websocket_worker(&workers[i])) {
            return true;
        }
    }
    const auto* const balancers = reinterpret_cast<const proxy_balancer*>(proxy->balancers->elts);
    for (int i = 0; i < proxy->balancers->nelts; ++i) {
        for (int j = 0; j < balancers[i].workers->nelts; ++j) {
            if (is_websocket_worker(APR_ARRAY_IDX(balancers[i].workers, j, proxy_worker*))) {
                return true;
            }
        }
    }
    return false;
}

bool tunnels_are_configured(const server_rec* server) {
    for (; server != nullptr; server = server->next) {
        const auto* const ours = static_cast<wsp_server_config*>(
            ap_get_module_config(server->module_config, &proxy_websocket_module));
        const auto* const proxy = static_cast<proxy_server_conf*>(
            ap_get_module_config(server->module_config, &proxy_module));
        if (ours->mappings->nelts > 0 || any_websocket_worker(proxy)) {
            return true;
        }
    }
    return false;
}

int mpm_setting(int query) {
    int value = 0;
    return ap_mpm_query(query, &value) == APR_SUCCESS ? value : 0;
}

}  // namespace

void advise_on_mpm_settings(server_rec* main_server) {
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG ||
        !tunnels_are_configured(main_server)) {
        return;
    }
    const bool threaded = mpm_setting(AP_MPMQ_IS_THREADED) != AP_MPMQ_NOT_SUPPORTED;
    const int most =
        mpm_setting(AP_MPMQ_MAX_DAEMONS) * (threaded ? mpm_setting(AP_MPMQ_MAX_THREADS) : 1);
    const int spare = mpm_setting(threaded ? AP_MPMQ_MAX_SPARE_THREADS : AP_MPMQ_MAX_SPARE_DAEMONS);
    const char* const spare_name = threaded ? "MaxSpareThreads" : "MaxSpareServers";
    if (spare > 0 && spare < most) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, main_server,
                     "WSP0012: %s %d is below MaxRequestWorkers %d: after a burst of requests "
                     "children that hold tunnels are "
                     "stopped, and their tunnels closed when ProxyWebsocketDrainTimeout is over; "
                     "\"%s %d\" avoids it",
                     spare_name, spare, most, spare_name, most);
    }
    const int requests = mpm_setting(AP_MPMQ_MAX_REQUESTS_DAEMON);
    if (requests > 0) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, main_server,
                     "WSP0013: MaxConnectionsPerChild %d stops children that hold tunnels, which "
                     "are closed when "
                     "ProxyWebsocketDrainTimeout is over; \"MaxConnectionsPerChild 0\" avoids it",
                     requests);
    }
}

}  // namespace wsp
