// Includes the headers of httpd, APR and mod_proxy, in an order that works. C++ files include them from here.
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
#include "mod_status.h"
#include "mpm_common.h"
#include "scoreboard.h"
#include "util_filter.h"

// Unlike the others, mod_proxy.h has no extern "C" of its own.
extern "C" {
#include "mod_proxy.h"
}

// mod_ssl's optional hooks (mod_ssl_openssl.h is not in Debian's apache2-dev). mod_ssl runs init_server for each of its
// SSL_CTX when httpd has read its configuration, with is_proxy for those of connections to backends. It runs
// pre_handshake just before each TLS handshake, with clients and with backends.
#define SSL_DECLARE(type) type
extern "C" {
APR_DECLARE_EXTERNAL_HOOK(ssl, SSL, int, init_server,
                          (server_rec * s, apr_pool_t* p, int is_proxy, SSL_CTX* ctx))
APR_DECLARE_EXTERNAL_HOOK(ssl, SSL, int, pre_handshake, (conn_rec * c, SSL* ssl, int is_proxy))
}

// An optional function of mod_http2.h: how many workers a child process may have.
extern "C" {
APR_DECLARE_OPTIONAL_FN(void, http2_get_num_workers, (server_rec * s, int* least, int* most));
}

#include "httpd/httpd_compat.hpp"

// Makes LogLevel proxy_websocket:debug apply to our lines.
APLOG_USE_MODULE(proxy_websocket);
