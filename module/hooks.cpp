// The functions that httpd calls, and where each stands among those of other modules. Each is noexcept and one line:
// which functions of ours it calls, and, in guarded() or guarded_or(), what the hook returns after an exception.
#include "hooks.h"

#include "base/blocked_signals.hpp"
#include "child/child.hpp"
#include "config/mod_qos_limits.hpp"
#include "config/mpm_advice.hpp"
#include "handoff/kept_threads.hpp"
#include "handshake/balancer_refusal.hpp"
#include "handshake/connect_offer.hpp"
#include "handshake/handshake_handler.hpp"
#include "handshake/refusal_cells.hpp"
#include "httpd/boundary.hpp"
#include "httpd/connection_context.hpp"
#include "log/expression_wrappers.hpp"
#include "log/json_items.hpp"
#include "log/log_conditions.hpp"
#include "log/log_context.hpp"
#include "log/log_transaction.hpp"
#include "log/ssl_log_items.hpp"
#include "moving/kept_for_moves.hpp"
#include "net/tls_detach.hpp"
#include "net/tls_secrets.hpp"
#include "routing/cache_bypass.hpp"
#include "routing/error_pages.hpp"
#include "routing/mapping.hpp"
#include "routing/rewrite_targets.hpp"
#include "statistics/statistics.hpp"
#include "status/action_token.hpp"
#include "status/mod_status_section.hpp"
#include "status/status_handler.hpp"
#include "surveying/kept_for_survey.hpp"
#include "upstream/backend_io.hpp"
#include "upstream/configured_workers.hpp"
#include "upstream/retry_after.hpp"
#include "upstream/worker_state.hpp"
#include "version.hpp"

using namespace wsp;  // NOLINT: this file is the border

namespace {

// Names of modules before or after which a hook of ours must run. APR keeps the addresses of the lists.
constexpr const char* kBalancer[] = {"mod_proxy_balancer.c", nullptr};
constexpr const char* kCache[] = {"mod_cache.c", nullptr};
constexpr const char* kHttp2[] = {"mod_http2.c", nullptr};
constexpr const char* kLogConfig[] = {"mod_log_config.c", nullptr};
constexpr const char* kLogItems[] = {"mod_log_config.c", "mod_ssl.c", nullptr};
constexpr const char* kMappers[] = {"mod_alias.c", "mod_userdir.c", "mod_vhost_alias.c",
                                    "mod_wsgi.c", nullptr};
constexpr const char* kModuleList[] = {"mod_so.c", nullptr};
constexpr const char* kProxy[] = {"mod_proxy.c", nullptr};
constexpr const char* kProxySchemes[] = {"mod_proxy_http.c", "mod_proxy_wstunnel.c", nullptr};
constexpr const char* kRewrite[] = {"mod_rewrite.c", nullptr};
constexpr const char* kSsl[] = {"mod_ssl.c", nullptr};

extern "C" {

// --- the configuration: the main thread of the parent process -----------------------------------

int on_pre_config(apr_pool_t* pconf, apr_pool_t*, apr_pool_t*) noexcept {
    return guarded_or(HTTP_INTERNAL_SERVER_ERROR, [&] {
        wrap_ssl_log_items(pconf);
        register_json_items(pconf);
        expect_log_conditions();
        return OK;
    });
}

int on_expr_lookup(ap_expr_lookup_parms* parms) noexcept {
    return guarded_or(DECLINED, [&] { return wrap_function(parms); });
}

int on_check_config(apr_pool_t*, apr_pool_t*, apr_pool_t*, server_rec* server) noexcept {
    return guarded_or(HTTP_INTERNAL_SERVER_ERROR,
                      [&] { return warn_of_one_slash_rules(server), OK; });
}

void on_test_config(apr_pool_t* pconf, server_rec*) noexcept {
    guarded_or(0, [&] { return list_version(pconf), 0; });
}

int on_open_logs(apr_pool_t* pconf, apr_pool_t*, apr_pool_t*, server_rec* server) noexcept {
    return guarded_or(HTTP_INTERNAL_SERVER_ERROR,
                      [&] { return make_log_context(pconf, server), OK; });
}

int on_ssl_init_server(server_rec*, apr_pool_t*, int, SSL_CTX* ctx) noexcept {
    return guarded_or(OK, [&] {
        allow_session_protection(ctx);
        TlsSecrets::collect_from(ctx);
        return OK;
    });
}

int on_post_config(apr_pool_t* pconf, apr_pool_t*, apr_pool_t* ptemp, server_rec* server) noexcept {
    return guarded_or(HTTP_INTERNAL_SERVER_ERROR, [&] {
        log_version(server);
        learn_log_formats(pconf, ptemp, server);
        ConfiguredWorkers::learn(pconf, server);
        advise_on_mpm_settings(server);
        learn_kept_threads(server);
        warn_of_mod_qos_limits(server);
        prepare_statistics(server, hash_of_refusal_cells());
        prepare_pauses(server);
        prepare_action_token(server);
        prepare_moves(pconf, server);
        prepare_survey(server);
        return OK;
    });
}

void on_child_status(server_rec* server, pid_t child, ap_generation_t, int,
                     mpm_child_status status) noexcept {
    if (status == MPM_CHILD_EXITED) {
        guarded_or(0, [&] {
            forget_child(server, child);
            fold_statistics_of(server, child);
            forget_in_survey(server, child);
            return 0;
        });
    }
}

int on_monitor(apr_pool_t*, server_rec* server) noexcept {
    return guarded_or(DECLINED, [&] {
        settle_statistics(server, nothing_under_way(server));
        return DECLINED;
    });
}

// --- the child process: its main thread ---------------------------------------------------------

// prefork.c just_die ends a child from within its signal handler, also while memory is allocated.
void on_child_init(apr_pool_t* pchild, server_rec* server) noexcept {
    const BlockedSignals blocked;
    guarded_or(0,
               [&] { return begin_logs_of_child(pchild, server), Child::make(pchild, server), 0; });
}

// A signal may end a child before on_child_init() has run (prefork.c just_die).
void on_child_stopping(apr_pool_t*, int graceful) noexcept {
    if (Child* const child = Child::current()) {
        guarded_or(0, [&] { return child->end_tunnels(graceful != 0), 0; });
    }
}

// --- connections: the thread that serves them ---------------------------------------------------

int on_pre_connection(conn_rec* c, void*) noexcept {
    return guarded_or(OK, [&] { return note_connection(c), OK; });
}

int on_ssl_pre_handshake(conn_rec* c, SSL* ssl, int) noexcept {
    return guarded_or(OK, [&] { return note_ssl(c, ssl), OK; });
}

int on_process_connection(conn_rec* c) noexcept {
    if (Child* const child = Child::current()) {
        guarded_or(0, [&] { return decide_connect_offer(c, child->kept_threads()), 0; });
    }
    return DECLINED;
}

// --- requests: the thread that serves them, in the order in which a request meets them ----------

int on_post_read_request(request_rec* r) noexcept {
    return guarded(r, [r] { return make_error_page_plain(r), DECLINED; });
}

int on_quick_handler(request_rec* r, int lookup) noexcept {
    return guarded(r, [&] { return serve_past_cache(r, lookup); });
}

int on_pre_translate_name(request_rec* r) noexcept {
    return guarded(r, [r] { return translate_proxy_pass_ws(r, true); });
}

int on_translate_name(request_rec* r) noexcept {
    return guarded(r, [r] { return translate_proxy_pass_ws(r, false); });
}

int on_check_trans(request_rec* r, const char* url) noexcept {
    return guarded(r, [&] { return check_trans(r, url); });
}

int on_translate_name_after_proxy(request_rec* r) noexcept {
    return guarded(r, [r] { return translate_passed_by(r); });
}

int on_canon(request_rec* r, char* url) noexcept {
    return guarded(r, [&] {
        return leads_to_one_slash(r, url) ? HTTP_INTERNAL_SERVER_ERROR : canonicalise(r, url);
    });
}

void on_insert_filter(request_rec* r) noexcept {
    guarded_or(0, [r] { return keep_status_of_error(r), 0; });
}

int on_handler(request_rec* r) noexcept {
    return guarded(r, [r] { return handle_past_cache(r); });
}

StatusSource* status_source() {
    Child* const child = Child::current();
    return child != nullptr ? &child->status() : nullptr;
}

int on_status_handler(request_rec* r) noexcept {
    return guarded(r, [r] { return handle_status(r, status_source(), WSP_VERSION); });
}

int on_mod_status(request_rec* r, int flags) noexcept {
    return guarded_or(DECLINED,
                      [&] { return write_mod_status_section(r, flags, status_source()); });
}

const HandshakeServices* handshake_services() {
    const Child* const child = Child::current();
    return child != nullptr ? &child->handshake_services() : nullptr;
}

int on_scheme(request_rec* r, proxy_worker* worker, proxy_server_conf* conf, char* url,
              const char* proxyname, apr_port_t proxyport) noexcept {
    return guarded(r, [&] {
        return handle_handshake(handshake_services(), r, worker, conf, url, proxyname, proxyport);
    });
}

int on_request_status(int* status, request_rec* r) noexcept {
    return guarded(r, [&] {
        pardon_full_workers(r);
        advise_when_to_retry(*status, r);
        explain_missing_member(handshake_services(), *status, r);
        keep_first_error(status, r);
        return DECLINED;
    });
}

int on_log_transaction(request_rec* r) noexcept {
    return guarded(r, [r] {
        log_context_of(r->server).served_bytes.book(r);
        complete_error_pages_for_log(r);
        return log_handed_off_request(r);
    });
}

}  // extern "C"

void register_configuration_hooks() {
    // After mod_ssl, whose log items are replaced.
    ap_hook_pre_config(on_pre_config, kLogItems, nullptr, APR_HOOK_LAST);
    ap_hook_expr_lookup(on_expr_lookup, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
    ap_hook_check_config(on_check_config, nullptr, nullptr, APR_HOOK_MIDDLE);
    ap_hook_test_config(on_test_config, kModuleList, nullptr, APR_HOOK_MIDDLE);
    // Before mod_log_config opens its logs.
    ap_hook_open_logs(on_open_logs, nullptr, kLogConfig, APR_HOOK_FIRST);
    // Last: no other module changes the callbacks of the SSL_CTX after us.
    APR_OPTIONAL_HOOK(ssl, init_server, on_ssl_init_server, nullptr, nullptr, APR_HOOK_REALLY_LAST);
    // Before mod_proxy_balancer, while workers have the limits of the configuration. With BalancerPersist,
    // mod_proxy_balancer gives them what the generation before has left in shared memory. mod_proxy has put defaults in
    // there.
    ap_hook_post_config(on_post_config, nullptr, kBalancer, APR_HOOK_MIDDLE);
    ap_hook_child_status(on_child_status, nullptr, nullptr, APR_HOOK_MIDDLE);
    ap_hook_monitor(on_monitor, nullptr, nullptr, APR_HOOK_MIDDLE);
}

void register_child_hooks() {
    // Last, so that our cleanup runs first (APR runs cleanups last-in first-out): the last lines then still find
    // mod_log_config's buffers.
    ap_hook_child_init(on_child_init, nullptr, nullptr, APR_HOOK_LAST);
    // Before mod_http2, whose connections send nothing any more after this hook (h2_mplx.c workers_shutdown).
    ap_hook_child_stopping(on_child_stopping, nullptr, kHttp2, APR_HOOK_MIDDLE);
}

void register_connection_hooks() {
    register_connect_offer();
    BackendIo::register_filters();
    ap_hook_pre_connection(on_pre_connection, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
    APR_OPTIONAL_HOOK(ssl, pre_handshake, on_ssl_pre_handshake, nullptr, nullptr, APR_HOOK_MIDDLE);
    ap_hook_process_connection(on_process_connection, kSsl, kHttp2, APR_HOOK_LAST);
}

void register_request_hooks() {
    register_error_status_filter();
    // First: mod_setenvif's conditions and mod_security2's rules already see a plain request for an error page.
    ap_hook_post_read_request(on_post_read_request, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
    ap_hook_quick_handler(on_quick_handler, nullptr, kCache, APR_HOOK_FIRST);
    // ProxyPassWS is looked at just before ProxyPass: after the server's rewrite rules and before mod_alias
    // (mod_proxy.c register_hooks), in whatever order the modules are loaded.
    ap_hook_pre_translate_name(on_pre_translate_name, nullptr, kProxy, APR_HOOK_FIRST);
    ap_hook_translate_name(on_translate_name, kRewrite, kProxy, APR_HOOK_FIRST);
    proxy_hook_check_trans(on_check_trans, nullptr, kProxySchemes, APR_HOOK_FIRST);
    ap_hook_translate_name(on_translate_name_after_proxy, kProxy, kMappers, APR_HOOK_FIRST);
    proxy_hook_canon_handler(on_canon, nullptr, kProxySchemes, APR_HOOK_FIRST);
    ap_hook_insert_filter(on_insert_filter, nullptr, nullptr, APR_HOOK_MIDDLE);
    ap_hook_handler(on_handler, nullptr, kCache, APR_HOOK_REALLY_FIRST);
    // Before mod_proxy: "SetHandler websocket-status" counts within what "ProxyPass /" maps, too.
    ap_hook_handler(on_status_handler, nullptr, kProxy, APR_HOOK_FIRST);
    APR_OPTIONAL_HOOK(ap, status_hook, on_mod_status, nullptr, nullptr, APR_HOOK_MIDDLE);
    proxy_hook_scheme_handler(on_scheme, nullptr, kProxySchemes, APR_HOOK_FIRST);
    APR_OPTIONAL_HOOK(proxy, request_status, on_request_status, nullptr, nullptr, APR_HOOK_MIDDLE);
    // First: it decides which other functions of this hook run.
    ap_hook_log_transaction(on_log_transaction, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
}

}  // namespace

extern "C" void wsp_register_hooks(apr_pool_t*) noexcept {
    register_configuration_hooks();
    register_child_hooks();
    register_connection_hooks();
    register_request_hooks();
}
