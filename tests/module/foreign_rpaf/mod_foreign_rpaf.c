/* A module for the tests: does to a request what modules of the kind of mod_rpaf do, whose idea of a client's address is older
 * than httpd 2.4's. With "X-Client-In-Request: address" it names the client in r->useragent_ip and writes the address over the
 * connection's, to which r->useragent_addr points. With "X-Client-In-Connection: address" it replaces c->client_ip as well. */
#include "httpd.h"

#include "apr_strings.h"
#include "arpa/inet.h"
#include "http_config.h"
#include "http_protocol.h"

static int rename_client(request_rec* r) {
    const char* const in_request = apr_table_get(r->headers_in, "X-Client-In-Request");
    const char* const in_connection = apr_table_get(r->headers_in, "X-Client-In-Connection");
    const char* const address = in_connection ? in_connection : in_request;

    if (address) {
        r->useragent_ip = apr_pstrdup(r->connection->pool, address);
        inet_pton(AF_INET, address, &r->useragent_addr->sa.sin.sin_addr);
    }
    if (in_connection) {
        r->connection->client_ip = r->useragent_ip;
    }
    return DECLINED;
}

static void register_hooks(apr_pool_t* pool) {
    (void)pool;
    ap_hook_post_read_request(rename_client, NULL, NULL, APR_HOOK_FIRST);
}

AP_DECLARE_MODULE(foreign_rpaf) = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL,
                                   register_hooks};
