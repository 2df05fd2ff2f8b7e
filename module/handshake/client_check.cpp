// Checks what HTTP demands of an upgrade. What WebSocket demands is checked by protocol/handshake.
#include "handshake/client_check.hpp"

#include <atomic>
#include <cstring>

#include "httpd/proxy_workers.hpp"
#include "httpd/request_headers.hpp"
#include "protocol/header_tokens.hpp"
#include "routing/mapping.hpp"

namespace wsp {
namespace {

ClientRefusal require_upgrade(request_rec* r, const char* protocol, const char* besides = "") {
    apr_table_setn(r->err_headers_out, "Upgrade", protocol);
    apr_table_setn(r->err_headers_out, "Connection", "Upgrade");
    const char* const asked = apr_table_get(r->headers_in, "Upgrade");
    return {HandshakeError::not_an_upgrade,
            apr_psprintf(r->pool, "no \"Upgrade: %s\" header (it is \"%s\")%s", protocol,
                         asked != nullptr ? asked : "", besides)};
}

// Why mod_proxy_http does not serve a plain request on a ws:// mapping. A missing module is worth a warning, but only
// one: strangers can ask as often as they like.
const char* why_no_http(request_rec* r) {
    static std::atomic<bool> told{false};
    switch (plain_requests_on(r)) {
        case PlainRequests::lack_module:
            if (!told.exchange(true)) {
                ap_log_rerror(
                    APLOG_MARK, APLOG_WARNING, 0, r,
                    "WSP0147: mod_proxy_http is not loaded: plain requests on ws:// and wss:// "
                    "mappings, such as pages and polling, are answered 426. Load it (a2enmod "
                    "proxy_http, or LoadModule proxy_http_module) to send them to the same "
                    "backend, "
                    "or set \"ProxyWebsocketFallbackToProxyHttp Off\" (said once per child "
                    "process)");
            }
            return ", and mod_proxy_http is not loaded";
        case PlainRequests::off:
            return ", and ProxyWebsocketFallbackToProxyHttp is Off";
        case PlainRequests::never:
            return ", and ProxyPassWS is for handshakes only";
        default:
            return "";
    }
}

// upgrade=other-protocol: only HTTP's own rules for its handshake are known here (RFC 9110 7.8).
ClientRefusal check_other_protocol(request_rec* r) {
    if (!has_token(TableHeaders(r->pool, r->headers_in).get("Connection"), "upgrade")) {
        return {HandshakeError::no_connection_upgrade};
    }
    return {};
}

bool has_body(const request_rec* r) {
    const char* const length = apr_table_get(r->headers_in, "Content-Length");
    return (length != nullptr && std::strcmp(length, "0") != 0) ||
           (r->connection->master == nullptr &&
            apr_table_get(r->headers_in, "Transfer-Encoding") != nullptr);
}

ClientRefusal check_websocket(request_rec* r, bool websocket_scheme) {
    RequestLine line;
    line.method = r->method;
    line.http_major = HTTP_VERSION_MAJOR(r->proto_num);
    line.http_minor = HTTP_VERSION_MINOR(r->proto_num);
    line.has_body = has_body(r);
    const HandshakeError error = check_request(line, TableHeaders(r->pool, r->headers_in));
    if (error == HandshakeError::none) {
        return {};
    }
    if (error == HandshakeError::not_an_upgrade) {
        return require_upgrade(r, "websocket", websocket_scheme ? why_no_http(r) : "");
    }
    if (error == HandshakeError::bad_version) {
        apr_table_setn(r->err_headers_out, "Sec-WebSocket-Version", "13");
    }
    return {error};
}

}  // namespace

ClientRefusal check_client(request_rec* r, const proxy_worker& worker, bool websocket_scheme,
                           const char*& protocol) {
    if (websocket_scheme) {
        const char* const allowed = protocol_for(r, &worker, true);
        if (allowed != nullptr && !asks_for_websocket(r)) {
            protocol = allowed;
            return check_other_protocol(r);
        }
        if (allowed == nullptr && asks_for_websocket(r)) {
            return require_upgrade(r, upgrade_parameter_of(worker));
        }
    }
    return check_websocket(r, websocket_scheme);
}

}  // namespace wsp
