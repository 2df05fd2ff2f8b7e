// Decides which requests are ours, and maps them to URLs. The ProxyPassWS lines are read in proxy_pass_ws.cpp.
#include "routing/mapping.hpp"

#include <cstring>

#include "config/config.h"
#include "config/dir_config.hpp"
#include "httpd/limited_log.hpp"
#include "httpd/proxy_workers.hpp"
#include "httpd/request_context.hpp"
#include "httpd/request_headers.hpp"
#include "protocol/header_tokens.hpp"
#include "routing/error_pages.hpp"

namespace wsp {
namespace {

const char* scheme_end(const char* url, const char* scheme) {
    const std::size_t size = std::strlen(scheme);
    return ap_cstr_casecmpn(url, scheme, size) == 0 && url[size] == ':' ? url + size + 1 : nullptr;
}

bool is_websocket_url(const char* url) {
    return scheme_end(url, "ws") != nullptr || scheme_end(url, "wss") != nullptr;
}

proxy_dir_conf* proxy_dir_config_of(request_rec* r) {
    return static_cast<proxy_dir_conf*>(ap_get_module_config(r->per_dir_config, &proxy_module));
}

// The worker behind `url`; null for a request without an Upgrade header. Only upgrade= of the worker matters here, and
// only to requests with that header.
const proxy_worker* worker_of(request_rec* r, const char* url) {
    if (apr_table_get(r->headers_in, "Upgrade") == nullptr) {
        return nullptr;
    }
    auto* const config = static_cast<proxy_server_conf*>(
        ap_get_module_config(r->server->module_config, &proxy_module));
    return ap_proxy_get_worker(r->pool, nullptr, config, url);
}

// A handshake, or a request for another protocol that the worker's upgrade= allows. Not just any Upgrade header: curl
// --http2 and Java's HttpClient add "Upgrade: h2c" to plain requests.
bool asks_for_tunnel(request_rec* r, const proxy_worker* worker) {
    return asks_for_websocket(r) || (worker != nullptr && protocol_for(r, worker, true) != nullptr);
}

bool is_mapped_by_proxy_pass_ws(request_rec* r) {
    const RequestContext* const context = find_request_context(r);
    return context != nullptr && context->mapped_by_proxy_pass_ws;
}

// True if mod_proxy_http serves `r`, which is on a ws:// or wss:// mapping. It takes these schemes for http and https
// (mod_proxy_http.c get_url_scheme). `worker` may be null.
bool falls_back_to_http(request_rec* r, const proxy_worker* worker) {
    return plain_requests_on(r) == PlainRequests::go_to_http && !asks_for_tunnel(r, worker);
}

// A handshake on an http:// or https:// worker.
bool takes_http(request_rec* r, const proxy_worker* worker) {
    if (is_mapped_by_proxy_pass_ws(r)) {
        return true;
    }
    return asks_for_websocket(r) && (wsp_dir_config_resolved(&dir_config_of(r)).upgrade_http != 0 ||
                                     protocol_for(r, worker, false) != nullptr);
}

// OK or DONE: mapped. DECLINED: an exclusion ("!") matches. HTTP_CONTINUE: the mapping is for other requests.
int try_mapping(request_rec* r, proxy_alias* mapping, bool encoded) {
    if (((mapping->flags & PROXYPASS_MAP_ENCODED) != 0) != encoded) {
        return HTTP_CONTINUE;
    }
    const int result = ap_proxy_trans_match(r, mapping, proxy_dir_config_of(r));
    if (result == OK || result == DONE) {
        request_context_of(r).mapped_by_proxy_pass_ws = true;
    }
    return result;
}

// What is sent to the backend of a request's URL.
struct Forwarded {
    const char* path = nullptr;   // null: the path cannot be encoded
    const char* query = nullptr;  // null: none

    bool is_printable() const {
        return *ap_scan_vchar_obstext(path) == '\0' &&
               (query == nullptr || *ap_scan_vchar_obstext(query) == '\0');
    }
};

// The path is encoded again, unless the administrator or an earlier phase wants it unchanged (mod_proxy.h: nocanon,
// mapping=encoded).
Forwarded forwarded(request_rec* r, const char* path) {
    if (apr_table_get(r->notes, "proxy-nocanon") != nullptr) {
        return {path};
    }
    if (apr_table_get(r->notes, "proxy-noencode") != nullptr) {
        return {path, r->args};
    }
    const auto* const core =
        static_cast<core_dir_config*>(ap_get_core_module_config(r->per_dir_config));
    return {canonical_path(r, path, core->allow_encoded_slashes && !core->decode_encoded_slashes),
            r->args};
}

const char* authority(apr_pool_t* pool, const char* host, apr_port_t port,
                      apr_port_t default_port) {
    const bool ipv6 = std::strchr(host, ':') != nullptr;
    return apr_pstrcat(pool, ipv6 ? "[" : "", host, ipv6 ? "]" : "",
                       port == default_port ? "" : apr_psprintf(pool, ":%hu", port), nullptr);
}

}  // namespace

const MappedUrl* websocket_url_of(request_rec* r, const proxy_worker* worker, const char* url) {
    static const MappedUrl kUrls[] = {
        {"ws", false, true}, {"wss", true, true}, {"http", false, false}, {"https", true, false}};
    for (const MappedUrl& mapped : kUrls) {
        if (scheme_end(url, mapped.scheme) != nullptr) {
            const bool ours =
                mapped.websocket ? !falls_back_to_http(r, worker) : takes_http(r, worker);
            return ours ? &mapped : nullptr;
        }
    }
    return nullptr;
}

const char* name_of_request(request_rec* r, const char* url) {
    return apr_psprintf(r->pool, "request %s %s, mapped to %.*s", r->method, r->uri,
                        static_cast<int>(std::strcspn(url, "?")), url);
}

const char* name_of_request(request_rec* r) {
    const char* const url = proxied_url_of(r);
    return name_of_request(r, url != nullptr ? url : "");
}

int translate_proxy_pass_ws(request_rec* r, bool encoded) {
    const auto* const server = static_cast<wsp_server_config*>(
        ap_get_module_config(r->server->module_config, &proxy_websocket_module));
    proxy_alias* const in_location = dir_config_of(r).mapping;
    const bool mapped_anywhere = in_location != nullptr || server->mappings->nelts > 0;
    if (!mapped_anywhere || r->proxyreq || r->uri == nullptr || r->uri[0] != '/' ||
        apr_table_get(r->subprocess_env, "no-proxy") != nullptr || !asks_for_websocket(r)) {
        return DECLINED;
    }
    if (in_location != nullptr) {
        const int result = try_mapping(r, in_location, encoded);
        if (result != HTTP_CONTINUE) {
            return result;
        }
    }
    for (int i = 0; i < server->mappings->nelts; ++i) {
        const int result =
            try_mapping(r, &APR_ARRAY_IDX(server->mappings, i, proxy_alias), encoded);
        if (result != HTTP_CONTINUE) {
            return result;
        }
    }
    return DECLINED;
}

const char* protocol_for(request_rec* r, const proxy_worker* worker, bool websocket_scheme) {
    const char* const asked = apr_table_get(r->headers_in, "Upgrade");
    const char* const allowed = upgrade_parameter_of(*worker);
    const bool any = std::strcmp(allowed, "*") == 0 || iequals(allowed, "any");
    if (asked == nullptr) {
        return nullptr;
    }
    if (asks_for_websocket(r)) {
        // httpd's documents say that "NONE" on ws:// workers skips the check. On http:// it can only mean that nothing
        // is upgraded.
        const bool listed = any || has_token(allowed, "websocket");
        const bool unrestricted =
            websocket_scheme && (*allowed == '\0' || iequals(allowed, "none"));
        return listed || unrestricted ? "websocket" : nullptr;
    }
    // mod_proxy_http tunnels other protocols on http:// mappings.
    return websocket_scheme && (any || (*allowed != '\0' && iequals(allowed, asked))) ? asked
                                                                                      : nullptr;
}

PlainRequests plain_requests_on(request_rec* r) {
    if (is_mapped_by_proxy_pass_ws(r)) {
        return PlainRequests::never;
    }
    if (wsp_dir_config_resolved(&dir_config_of(r)).fallback == 0) {
        return PlainRequests::off;
    }
    return ap_find_linked_module("mod_proxy_http.c") != nullptr ? PlainRequests::go_to_http
                                                                : PlainRequests::lack_module;
}

int check_trans(request_rec* r, const char* url) {
    const proxy_worker* const worker = is_websocket_url(url) ? worker_of(r, url) : nullptr;
    if (!is_websocket_url(url) || falls_back_to_http(r, worker)) {
        return DECLINED;
    }
    if (asks_for_tunnel(r, worker)) {
        return OK;
    }
    if (!is_for_error_page(r) && request_context_of(r).passed_by == nullptr) {
        request_context_of(r).passed_by = apr_pstrdup(r->pool, url);
    }
    return HTTP_UPGRADE_REQUIRED;  // anything but OK and DECLINED: mod_proxy tries its next mapping
}

int translate_passed_by(request_rec* r) {
    const RequestContext* const context = find_request_context(r);
    if (context == nullptr || context->passed_by == nullptr || r->proxyreq) {
        return DECLINED;
    }
    r->filename = apr_pstrcat(r->pool, "proxy:", context->passed_by, nullptr);
    r->handler = "proxy-server";
    r->proxyreq = PROXYREQ_REVERSE;
    return OK;
}

int canonicalise(request_rec* r, char* url) {
    if (is_websocket_url(url) && falls_back_to_http(r, worker_of(r, url))) {
        return DECLINED;
    }
    char* rest = const_cast<char*>(scheme_end(url, "ws"));
    const bool tls = rest == nullptr;
    if (tls && (rest = const_cast<char*>(scheme_end(url, "wss"))) == nullptr) {
        return DECLINED;
    }
    const apr_port_t default_port = tls ? DEFAULT_HTTPS_PORT : DEFAULT_HTTP_PORT;
    apr_port_t port = default_port;
    char* host = nullptr;
    if (const char* const error =
            ap_proxy_canon_netloc(r->pool, &rest, nullptr, nullptr, &host, &port)) {
        warn(r,
             apr_psprintf(r->pool,
                          "WSP0120: the backend's URL is malformed: %s; %s; hint: correct the "
                          "mapping or the RewriteRule",
                          error, name_of_request(r)),
             {APLOG_ERR});
        return HTTP_BAD_REQUEST;
    }
    const Forwarded to = forwarded(r, rest);
    if (to.path == nullptr) {
        return HTTP_BAD_REQUEST;
    }
    if (!to.is_printable()) {
        warn(r,
             apr_psprintf(r->pool,
                          "WSP0121: the path or query to forward contains control characters or "
                          "spaces; %s; hint: a RewriteRule may need the B flag",
                          name_of_request(r)),
             {APLOG_ERR});
        return HTTP_FORBIDDEN;
    }
    r->filename = apr_pstrcat(
        r->pool, "proxy:", tls ? "wss" : "ws", "://", authority(r->pool, host, port, default_port),
        "/", to.path, to.query != nullptr ? "?" : "", to.query != nullptr ? to.query : "", nullptr);
    return OK;
}

}  // namespace wsp
