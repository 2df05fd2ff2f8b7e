// The only place that includes httpd's, APR's and mod_proxy's headers, so that clashes are settled
// once.
#pragma once

#include <openssl/ssl.h>

#include <cstring>

// First: httpd's other headers rely on it.
#include "httpd.h"

#include "ap_mpm.h"
#include "apr_hooks.h"
#include "apr_optional.h"
#include "apr_strings.h"
#include "http_config.h"
#include "http_connection.h"
#include "http_core.h"
#include "http_log.h"
#include "http_protocol.h"
#include "http_request.h"
#include "http_ssl.h"
#include "http_vhost.h"
#include "mod_core.h"
#include "mpm_common.h"
#include "scoreboard.h"
#include "util_filter.h"

// mod_proxy.h, unlike the others, does not say itself that it is C.
extern "C" {
#include "mod_proxy.h"
}

// mod_ssl's optional hooks (mod_ssl_openssl.h), which Debian's apache2-dev does not ship. init_server: with each of its
// contexts when httpd has read its configuration; is_proxy for those of connections to backends. pre_handshake: with the
// SSL object of every connection, client's or backend's, just before its TLS handshake.
#define SSL_DECLARE(type) type
extern "C" {
APR_DECLARE_EXTERNAL_HOOK(ssl, SSL, int, init_server,
                          (server_rec * s, apr_pool_t* p, int is_proxy, SSL_CTX* ctx))
APR_DECLARE_EXTERNAL_HOOK(ssl, SSL, int, pre_handshake, (conn_rec * c, SSL* ssl, int is_proxy))
}

// All that is used of mod_http2.h, an optional function: how many workers a child process may have.
extern "C" {
APR_DECLARE_OPTIONAL_FN(void, http2_get_num_workers, (server_rec * s, int* least, int* most));
}

#include "httpd/httpd_compat.hpp"

// LogLevel proxy_websocket:debug addresses our lines.
APLOG_USE_MODULE(proxy_websocket);
