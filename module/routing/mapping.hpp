// Which requests are ours: ProxyPassWS, ws:// and wss:// mappings, and the URLs behind them.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// What becomes of a request that is no handshake where `r` is, on a ws:// or wss:// mapping.
enum class PlainRequests {
    go_to_http,   // to the same backend, by mod_proxy_http
    off,          // 426: ProxyWebsocketFallbackToProxyHttp is Off
    lack_module,  // 426: it is On, and mod_proxy_http is not loaded
    never,        // 426: ProxyPassWS has mapped it, when it still was a handshake
};
PlainRequests plain_requests_on(request_rec* r);

// A URL that a request of ours is mapped to, by its scheme.
struct MappedUrl {
    const char* scheme;  // as mod_proxy's log lines name it
    bool tls;
    bool websocket;  // the scheme itself says so
};

// Null: `url` is none of ours for this request. A handshake on an http:// or https:// worker is ours
// when ProxyPassWS, ProxyWebsocketUpgradeHttp or upgrade= says so.
const MappedUrl* websocket_url_of(request_rec* r, const proxy_worker* worker, const char* url);

// "request GET /chat, mapped to ws://127.0.0.1:8000/chat", for log lines; without the queries, since tokens do not belong
// there.
const char* name_of_request(request_rec* r, const char* url);
// The same where it is mod_proxy that knows the URL.
const char* name_of_request(request_rec* r);

// translate_name and pre_translate_name, before mod_proxy's: a handshake on a ProxyPassWS path goes
// to its backend. Not where no-proxy is set, as for ProxyPass.
int translate_proxy_pass_ws(request_rec* r, bool encoded);

// The protocol that a handshake asks this worker to switch to: "websocket", or, where upgrade= lets
// it, the client's own choice. Null when the worker lets nothing through that the client asks for.
// `websocket_scheme`: the URL is ws or wss.
const char* protocol_for(request_rec* r, const proxy_worker* worker, bool websocket_scheme);

// mod_proxy's check_trans: a request that asks neither for WebSocket nor for what upgrade= allows, and that mod_proxy_http
// may not have, passes a ws:// or wss:// mapping by. One for an error page is not given back to it afterwards: the page
// may be a file, and 426 is no answer to whoever was told something else.
int check_trans(request_rec* r, const char* url);

// translate_name, after mod_proxy's: a plain request that has passed a ws:// mapping by and found
// no other ProxyPass is given back to it, to be told 426 there.
int translate_passed_by(request_rec* r);

// mod_proxy's canon_handler: ws:// and wss:// URLs.
int canonicalise(request_rec* r, char* url);

}  // namespace wsp
