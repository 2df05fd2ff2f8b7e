// The limits, from the threads that a child has, and the count.
#include "handoff/kept_threads.hpp"

#include <algorithm>
#include <string>

#include "config/config.h"
#include "httpd/config_tree.hpp"
#include "httpd/mpm_query.hpp"

namespace wsp {
namespace {

struct Known {
    KeptThreadLimits limits;
    bool http2 = false;
};
Known known;

// An eighth of the threads stays for everything else, and one of two at least.
std::int64_t with_some_to_spare(std::int64_t threads) {
    return std::max<std::int64_t>(1, threads - std::max<std::int64_t>(1, threads / 8));
}

// H2MaxWorkers, or what mod_http2 makes of its absence; 0 without mod_http2.
int http2_workers(server_rec* main_server) {
    int least = 0;
    int most = 0;
    if (const auto ask = APR_RETRIEVE_OPTIONAL_FN(http2_get_num_workers)) {
        ask(main_server, &least, &most);
    }
    return most;
}

const ap_directive_t* http2_websockets_line() {
    return find_directive(ap_conftree, [](const ap_directive_t* directive) {
        return ap_cstr_casecmp(directive->directive, "H2WebSockets") == 0 &&
               ap_cstr_casecmp(directive->args, "on") == 0;
    });
}

// Without HTTP/2 a full child accepts nobody, and the MPM turns to another one: a limit would refuse handshakes that
// find room there. Streams of a connection cannot go elsewhere. A child of prefork has one thread, and nothing else for
// it to do.
std::int64_t default_most(server_rec* main_server) {
    if (!known.http2 || !is_threaded_mpm()) {
        return 0;
    }
    std::int64_t threads = mpm_setting(AP_MPMQ_MAX_THREADS);
    const int workers = http2_workers(main_server);
    if (workers > 0) {
        threads = std::min<std::int64_t>(threads, workers);
    }
    return with_some_to_spare(threads);
}

KeptThreadLimits limits_of(const wsp_server_config& config, server_rec* main_server) {
    KeptThreadLimits limits;
    limits.most =
        config.max_blocking != WSP_UNSET ? config.max_blocking : default_most(main_server);
    limits.offers = config.max_blocking_offers != WSP_UNSET
                        ? config.max_blocking_offers
                        : std::max<std::int64_t>(1, limits.most / 2);
    return limits;
}

void advise_on_http2(const ap_directive_t* line, server_rec* main_server) {
    const std::string limits = known.limits.most == 0
                                   ? "ProxyWebsocketMaxBlockingTunnels limits nothing"
                                   : "from " + std::to_string(known.limits.offers) +
                                         " such tunnels of a child process on it is not offered "
                                         "to new connections, and " +
                                         std::to_string(known.limits.most) +
                                         " are the most (ProxyWebsocketMaxBlockingTunnels)";
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, main_server,
                 "WSP0028: H2WebSockets is on (line %d of %s): each tunnel over HTTP/2 holds one "
                 "of the %d H2MaxWorkers, "
                 "and each connection with a tunnel one of the %d threads, of its child process; "
                 "with \"H2WebSockets off\" browsers open "
                 "HTTP/1.1 for their sockets, which hold none. %s",
                 line->line_num, line->filename, http2_workers(main_server),
                 mpm_setting(AP_MPMQ_MAX_THREADS), limits.c_str());
}

}  // namespace

void learn_kept_threads(server_rec* main_server) {
    const wsp_server_config config =
        wsp_server_config_resolved(static_cast<const wsp_server_config*>(
            ap_get_module_config(main_server->module_config, &proxy_websocket_module)));
    const ap_directive_t* const http2 = http2_websockets_line();
    known.http2 = http2 != nullptr;
    known.limits = limits_of(config, main_server);
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG || !is_threaded_mpm()) {
        return;
    }
    if (http2 != nullptr) {
        advise_on_http2(http2, main_server);
    }
    const int threads = mpm_setting(AP_MPMQ_MAX_THREADS);
    if (config.max_blocking != WSP_UNSET && config.max_blocking >= threads) {
        ap_log_error(
            APLOG_MARK, APLOG_NOTICE, 0, main_server,
            "WSP0025: ProxyWebsocketMaxBlockingTunnels %" APR_INT64_T_FMT
            " lets tunnels take all %d threads of a child process, and leave none for pages",
            config.max_blocking, threads);
    }
}

KeptThreads::KeptThreads() : limits_(known.limits), http2_(known.http2) {}

KeptThreads::Permit KeptThreads::take() noexcept {
    if (live_.fetch_add(1) >= limits_.most && limits_.most > 0) {
        live_.fetch_sub(1);
        return nullptr;
    }
    return Permit(this);
}

KeptThreads::Permit KeptThreads::take_anyway() noexcept {
    live_.fetch_add(1);
    return Permit(this);
}

bool KeptThreads::withholds_offer() noexcept {
    const std::int64_t count = live();
    if (!http2_ || limits_.most == 0 || count < limits_.offers) {
        return false;
    }
    if (withheld_.allow(monotonic_now()).allowed) {
        ap_log_error(
            APLOG_MARK, APLOG_INFO, 0, ap_server_conf,
            "WSP0133: new HTTP/2 connections are not offered WebSockets for now: %" APR_INT64_T_FMT
            " tunnels keep their threads in this child process, and from %" APR_INT64_T_FMT
            " on (ProxyWebsocketMaxBlockingTunnels) browsers are to open HTTP/1.1 for more",
            count, limits_.offers);
    }
    return true;
}

}  // namespace wsp
