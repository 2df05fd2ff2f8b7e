// Compares the MPM's settings with what tunnels need.
#include "config/mpm_advice.hpp"

#include <string_view>

#include "config/config.h"
#include "httpd/mpm_query.hpp"
#include "httpd/proxy_workers.hpp"

namespace wsp {
namespace {

bool tunnels_are_configured(const server_rec* main_server) {
    bool found = false;
    each_worker(main_server, [&found](const proxy_worker* worker) {
        const std::string_view scheme(scheme_of(*worker));
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

// Draining children hold slots. Logs a notice if hardly any are left for others. Not with prefork: it has as many slots
// as processes that serve, so there is no better setting to name.
void advise_on_slots(server_rec* main_server, const wsp_server_config& config) {
    constexpr int kGenerations = 4;
    const int needed = mpm_setting(AP_MPMQ_MAX_DAEMONS);
    const int slots = process_slots();
    if (!is_threaded_mpm() || slots == 0 || config.drain_timeout_us == 0 || slots >= 2 * needed) {
        return;
    }
    ap_log_error(
        APLOG_MARK, APLOG_NOTICE, 0, main_server,
        "WSP0026: ServerLimit %d is less than twice the %d processes that MaxRequestWorkers "
        "%d needs: after a graceful restart children that drain hold slots that new ones "
        "may need; \"ServerLimit %d\" has room for %d generations that drain",
        slots, needed, needed * mpm_setting(AP_MPMQ_MAX_THREADS), kGenerations * needed,
        kGenerations - 1);
}

}  // namespace

void advise_on_mpm_settings(server_rec* main_server) {
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG ||
        !tunnels_are_configured(main_server)) {
        return;
    }
    const bool threaded = is_threaded_mpm();
    const int most =
        mpm_setting(AP_MPMQ_MAX_DAEMONS) * (threaded ? mpm_setting(AP_MPMQ_MAX_THREADS) : 1);
    const int spare = mpm_setting(threaded ? AP_MPMQ_MAX_SPARE_THREADS : AP_MPMQ_MAX_SPARE_DAEMONS);
    const char* const spare_name = threaded ? "MaxSpareThreads" : "MaxSpareServers";
    if (spare > 0 && spare < most) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, main_server,
                     "WSP0012: %s %d is below MaxRequestWorkers %d: after a burst of requests "
                     "httpd stops children that hold tunnels, and the tunnels are closed when "
                     "ProxyWebsocketDrainTimeout is over; \"%s %d\" avoids it",
                     spare_name, spare, most, spare_name, most);
    }
    const auto* const ours = static_cast<wsp_server_config*>(
        ap_get_module_config(main_server->module_config, &proxy_websocket_module));
    const wsp_server_config config = wsp_server_config_resolved(ours);
    advise_on_slots(main_server, config);
    const auto handshakes = config.handshake_threads;
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
                     "WSP0013: MaxConnectionsPerChild %d stops children that hold tunnels, and the "
                     "tunnels are closed when ProxyWebsocketDrainTimeout is over; "
                     "\"MaxConnectionsPerChild 0\" avoids it",
                     requests);
    }
}

}  // namespace wsp
