// Adapters for functions that this module uses and that httpd 2.4.52 to 2.4.58 do not all have. httpd.hpp includes this
// file last. Each adapter says which version of httpd brought the function, and what is missing with older versions.
// The condition is that version's number in httpd's ap_mmn.h.
//
// With -DWSP_HTTPD_MMN=121 the adapters for 2.4.52 are compiled with newer headers. scripts/test.d/apxs does that, and
// runs the tests of connecting with them.
#pragma once

#include "ap_mmn.h"

#ifndef WSP_HTTPD_MMN
#define WSP_HTTPD_MMN MODULE_MAGIC_NUMBER_MINOR
#endif
#if MODULE_MAGIC_NUMBER_MAJOR != 20120211 || WSP_HTTPD_MMN < 121
#error \
    "mod_proxy_websocket needs the headers of Apache httpd 2.4.52 or a later 2.4: install a newer apache2-dev or httpd-devel"
#endif

namespace wsp {

// The URL of a worker as its configuration wrote it; lives as long as the worker. 2.4.53 brought name_ex: before,
// mod_proxy cut what is longer than 95 characters.
inline const char* name_of(const proxy_worker& worker) {
#if WSP_HTTPD_MMN >= 124
    return worker.s->name_ex;
#else
    return worker.s->name;
#endif
}

// The path as the backend gets it; nullptr for a path that may not be passed on. leaves_slashes: a %2F stays %2F.
// 2.4.57 brought ap_proxy_canonenc_ex: before, under AllowEncodedSlashes NoDecode, a %2F becomes %252F, as with
// mod_proxy_http.
inline const char* canonical_path(request_rec* r, const char* path, bool leaves_slashes) {
    const int length = static_cast<int>(std::strlen(path));
#if WSP_HTTPD_MMN >= 127
    const int flags = leaves_slashes ? PROXY_CANONENC_NOENCODEDSLASHENCODING : 0;
    return ap_proxy_canonenc_ex(r->pool, path, length, enc_path, flags, r->proxyreq);
#else
    static_cast<void>(leaves_slashes);
    return ap_proxy_canonenc(r->pool, path, length, enc_path, 0, r->proxyreq);
#endif
}

// What to poll while waiting for bytes of a client. 2.4.58 brought ap_get_pollfd_from_conn, with WebSockets over
// HTTP/2: before, every client of a WebSocket has a socket.
inline apr_status_t pollfd_of(conn_rec* c, apr_pollfd_t& watched) {
#if WSP_HTTPD_MMN >= 129
    return ap_get_pollfd_from_conn(c, &watched, nullptr);
#else
    if (c->master != nullptr) {
        return APR_ENOTIMPL;
    }
    watched.desc_type = APR_POLL_SOCKET;
    watched.desc.s = ap_get_conn_socket(c);
    return APR_SUCCESS;
#endif
}

// Puts the addresses of a backend into record.addr, for a connection that is opened without a request. 2.4.59 brought
// ap_proxy_determine_address with addressttl=: before, a name is looked up for each such connection.
inline apr_status_t determine_address(proxy_conn_rec& record, const char* hostname, apr_port_t port,
                                      server_rec* server) {
#if WSP_HTTPD_MMN >= 130
    return ap_proxy_determine_address("ws", &record, hostname, port, 0, nullptr, server);
#else
    static_cast<void>(server);
    record.hostname = apr_pstrdup(record.pool, hostname);
    record.port = port;
    return apr_sockaddr_info_get(&record.addr, hostname, APR_UNSPEC, port, 0, record.pool);
#endif
}

// True if the name of a backend that does not answer has got other addresses; they are in record.addr then. 2.4.59
// brought it: before, mod_proxy keeps a reusable worker's address until the child ends.
inline bool has_moved(proxy_conn_rec& record, server_rec* server) {
#if WSP_HTTPD_MMN >= 130
    return ap_proxy_determine_address("ws", &record, record.hostname, record.port,
                                      PROXY_DETERMINE_ADDRESS_CHECK, nullptr,
                                      server) == APR_SUCCESS;
#else
    static_cast<void>(record);
    static_cast<void>(server);
    return false;
#endif
}

// The pool of record.uds_path if it has one of its own; otherwise null. 2.4.59 brought it: before, the path is in the
// record's pool.
inline apr_pool_t* path_pool_of(const proxy_conn_rec& record) {
#if WSP_HTTPD_MMN >= 130
    return record.uds_pool;
#else
    static_cast<void>(record);
    return nullptr;
#endif
}

}  // namespace wsp
