// Looks at the configuration as a whole, once it has been read.
#include "startup_checks.hpp"

#include <string_view>

#include "config.h"
#include "proxy_workers.hpp"

namespace wsp {
namespace {

bool tunnels_are_configured(const server_rec* main_server) {
    bool found = false;
    each_worker(main_server, [&found](const proxy_worker* worker) {
        const std::string_view scheme(worker->s->scheme);
        found = found || scheme == "ws" || scheme == "wss";
    });
    for (const server_rec* server = main_server; server != nullptr && !found;
         server = server->next) {
        const auto* const ours = static_cast<wsp_server_config*>(
            ap_get_module_config(server->module_config, &proxy_websocket_module));
        found = ours->mappings->nelts > 0;
    }
    return found;
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
    const auto* const ours = static_cast<wsp_server_config*>(
        ap_get_module_config(main_server->module_config, &proxy_websocket_module));
    const auto handshakes = wsp_server_config_resolved(ours).handshake_threads;
    const int threads = threaded ? mpm_setting(AP_MPMQ_MAX_THREADS) : 1;
    if (handshakes >= threads) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, main_server,
                     "WSP0021: ProxyWebsocketHandshakeThreads %" APR_INT64_T_FMT
                     " limits nothing: a child process has %d thread%s for requests",
                     handshakes, threads, threads == 1 ? "" : "s");
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
