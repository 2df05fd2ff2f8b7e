// Finds out from the records of httpd and mod_proxy what a person can do about a refusal, and says it.
#include "handshake/refusal_hints.hpp"

#include <cstring>
#include <string>

#include "net/connect_hint.hpp"
#include "protocol/detect_protocol.hpp"
#include "protocol/origin_check.hpp"
#include "upstream/worker_parameters.hpp"
#include "upstream/worker_state.hpp"

namespace wsp {
namespace {

// How much of an answer's body is searched.
constexpr apr_size_t kLook = 2048;

// The scheme that the mapping should have when the backend, against the mapping, speaks TLS or does not.
const char* other_scheme(const MappedUrl& target) {
    if (target.websocket) {
        return target.tls ? "ws://" : "wss://";
    }
    return target.tls ? "http://" : "https://";
}

const char* tls_is_spoken(request_rec* r, const MappedUrl& target) {
    return apr_psprintf(r->pool,
                        "the backend speaks TLS: map to %s (which needs \"SSLProxyEngine on\")",
                        other_scheme(target));
}

// What has arrived of the answer's body. It stays in the connection's filters.
std::string begin_of_body(proxy_conn_rec& record) {
    char text[kLook];
    apr_size_t size = sizeof text;
    conn_rec* const c = record.connection;
    apr_bucket_brigade* const brigade = apr_brigade_create(c->pool, c->bucket_alloc);
    const bool is_there = ap_get_brigade(c->input_filters, brigade, AP_MODE_SPECULATIVE,
                                         APR_NONBLOCK_READ, kLook) == APR_SUCCESS &&
                          apr_brigade_flatten(brigade, text, &size) == APR_SUCCESS;
    apr_brigade_destroy(brigade);
    return is_there ? std::string(text, size) : std::string();
}

bool preserves_host(const request_rec* r) {
    return static_cast<const proxy_dir_conf*>(
               ap_get_module_config(r->per_dir_config, &proxy_module))
               ->preserve_host != 0;
}

const char* header(const request_rec* r, const char* name) {
    const char* const value = apr_table_get(r->headers_in, name);
    return value != nullptr ? value : "";
}

// The Host that the backend was sent (proxy_util.c ap_proxy_create_hdrbrgd).
const char* host_sent(request_rec* r, const apr_uri_t& uri) {
    if (preserves_host(r)) {
        return header(r, "Host");
    }
    const bool is_ipv6 = std::strchr(uri.hostname, ':') != nullptr;
    const bool has_port = uri.port_str != nullptr && uri.port != DEFAULT_HTTP_PORT;
    return apr_pstrcat(r->pool, is_ipv6 ? "[" : "", uri.hostname, is_ipv6 ? "]" : "",
                       has_port ? ":" : "", has_port ? uri.port_str : "", nullptr);
}

// Rails and others compare the scheme as well.
const char* hint_for_scheme(const request_rec* r, const MappedUrl& target, const char* origin) {
    static constexpr char kHttps[] = "https:";
    const bool is_unknown = !target.tls && *header(r, "X-Forwarded-Proto") == '\0';
    return is_unknown && ap_cstr_casecmpn(origin, kHttps, sizeof kHttps - 1) == 0
               ? "the Origin is https, and the backend does not learn that the client uses TLS: "
                 "write "
                 "\"RequestHeader set X-Forwarded-Proto https\""
               : nullptr;
}

const char* hint_for_origin(request_rec* r, const MappedUrl& target, const apr_uri_t& uri) {
    const char* const origin = header(r, "Origin");
    const char* const sent = host_sent(r, uri);
    switch (check_origin(origin, sent, header(r, "Host"))) {
        case OriginCheck::same_if_host_preserved:
            return apr_psprintf(r->pool,
                                "the Origin is %.200s, but the backend was sent the Host %.200s; "
                                "many servers refuse that. \"ProxyPreserveHost On\" sends the "
                                "client's own Host",
                                origin, sent);
        case OriginCheck::cross_origin:
            return apr_psprintf(r->pool,
                                "the Origin %.200s is another site than the Host %.200s: the "
                                "backend may have a setting that allows it",
                                origin, header(r, "Host"));
        case OriginCheck::same_origin:
            return hint_for_scheme(r, target, origin);
        default:
            return nullptr;
    }
}

const char* hint_for_path(request_rec* r, const char* path) {
    return apr_psprintf(r->pool, "the backend was asked for %.*s: is that the application's path?",
                        static_cast<int>(std::strcspn(path, "?")), path);
}

const char* without_null(request_rec* r, std::string_view text) {
    return text.empty() ? nullptr : apr_pstrmemdup(r->pool, text.data(), text.size());
}

}  // namespace

const char* hint_for_connect(request_rec* r, const BackendConnection& backend) {
    return without_null(
        r, hint_for_connect_error(backend.connect_error(), backend.record()->uds_path != nullptr));
}

const char* hint_for_tls(request_rec* r, const MappedUrl& target,
                         const BackendConnection& backend) {
    switch (detect_protocol(backend.first_bytes())) {
        case DetectedProtocol::tls:
            return "mod_ssl says why at \"LogLevel ssl:info\"";
        case DetectedProtocol::unknown:
            return apr_psprintf(r->pool, "if the backend speaks no TLS, map to %s",
                                other_scheme(target));
        default:
            return apr_psprintf(r->pool, "the backend does not speak TLS: map to %s",
                                other_scheme(target));
    }
}

const char* hint_for_no_answer(request_rec* r, const MappedUrl& target,
                               const BackendConnection& backend, bool hung_up) {
    if (target.tls) {
        return nullptr;
    }
    switch (detect_protocol(backend.first_bytes())) {
        case DetectedProtocol::tls:
            return tls_is_spoken(r, target);
        case DetectedProtocol::unknown:
            return hung_up ? apr_psprintf(r->pool,
                                          "look at the backend's log; if it wants TLS, map to %s",
                                          other_scheme(target))
                           : nullptr;
        default:
            return nullptr;
    }
}

const char* hint_for_answer(request_rec* r, const MappedUrl& target, BackendConnection& backend,
                            const apr_uri_t& uri, const char* path, int status) {
    if (status < 400 || status >= 500 || status == HTTP_UNAUTHORIZED) {
        return nullptr;
    }
    if (status == HTTP_BAD_REQUEST && !target.tls &&
        body_asks_for_tls(begin_of_body(*backend.record()))) {
        return tls_is_spoken(r, target);
    }
    const char* const hint = hint_for_origin(r, target, uri);
    return hint == nullptr && status == HTTP_NOT_FOUND ? hint_for_path(r, path) : hint;
}

const char* hint_for_unusable_worker(request_rec* r, const proxy_worker& worker) {
    switch (why_unusable(worker)) {
        case WhyUnusable::health_check:
            return "its health check (hcmethod=) fails";
        case WhyUnusable::taken_out:
            return "it was stopped or disabled, by status= or in balancer-manager";
        case WhyUnusable::draining:
            return "it is draining: it takes requests of its own sessions only";
        case WhyUnusable::in_error:
            break;
    }
    return apr_psprintf(r->pool,
                        "an earlier line says why it failed; it is tried again %" APR_INT64_T_FMT
                        " s after that (retry=)",
                        apr_int64_t{retry_seconds_of(worker)});
}

const char* hint_for_missing_tls(request_rec* r) {
    const server_rec* const server = r->server;
    if (server->defn_name == nullptr) {
        return "write \"SSLProxyEngine on\" into the server's configuration";
    }
    return apr_psprintf(r->pool,
                        "write \"SSLProxyEngine on\" into the <VirtualHost> on line %u of %s",
                        server->defn_line_number, server->defn_name);
}

}  // namespace wsp
