// Which requests are ours: ProxyPassWS, ws:// and wss:// mappings, and the URLs behind them.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// All functions here: request thread; none blocks.

// What happens to a plain request, one that is not a handshake, on the ws:// or wss:// mapping of `r`.
enum class PlainRequests {
    go_to_http,   // to the same backend, by mod_proxy_http
    off,          // 426: ProxyWebsocketFallbackToProxyHttp is Off
    lack_module,  // 426: it is On, and mod_proxy_http is not loaded
    never,        // 426: it was a handshake when ProxyPassWS mapped it
};
PlainRequests plain_requests_on(request_rec* r);

// The scheme of a URL that a request of ours is mapped to.
struct MappedUrl {
    const char* scheme;  // as mod_proxy's log lines name it
    bool tls;
    bool websocket;  // ws or wss
};

// The scheme of `url`; null if this request is not ours. A handshake on an http:// or https:// worker is ours if
// ProxyPassWS, ProxyWebsocketUpgradeHttp or upgrade= says so.
const MappedUrl* websocket_url_of(request_rec* r, const proxy_worker* worker, const char* url);

// "request GET /chat, mapped to ws://127.0.0.1:8000/chat", for log lines. Without the queries: they may contain tokens.
const char* name_of_request(request_rec* r, const char* url);
// The same, with the URL from mod_proxy.
const char* name_of_request(request_rec* r);

// translate_name and pre_translate_name, before mod_proxy's: maps a handshake on a ProxyPassWS path to its backend,
// unless no-proxy is set, as for ProxyPass. `encoded`: pre_translate_name, which tries the mappings with
// mapping=encoded.
int translate_proxy_pass_ws(request_rec* r, bool encoded);

// The protocol to ask this worker's backend for: "websocket", or the client's own choice if upgrade= allows it. Null if
// the worker allows nothing of what the client asks for. `websocket_scheme`: the URL is ws or wss.
const char* protocol_for(request_rec* r, const proxy_worker* worker, bool websocket_scheme);

// mod_proxy's check_trans: lets a request skip a ws:// or wss:// mapping if it asks neither for WebSocket nor for what
// upgrade= allows, and mod_proxy_http may not serve it. translate_passed_by() may return it to that mapping, but not a
// request for an error page: the page may be a file, and the client must see the first error, not 426.
int check_trans(request_rec* r, const char* url);

// translate_name, after mod_proxy's: a plain request that has skipped a ws:// mapping, and has found no other
// ProxyPass, returns to that mapping and is answered 426 there.
int translate_passed_by(request_rec* r);

// mod_proxy's canon_handler for ws:// and wss:// URLs: OK, DECLINED for other URLs, or the status to refuse the request
// with.
int canonicalise(request_rec* r, char* url);

}  // namespace wsp
