/* A handler with a race on purpose: all its requests count in one variable without a lock. Who does not hear of it is deaf. */
#include "httpd.h"

#include "http_config.h"
#include "http_protocol.h"

static int requests;

static int handle(request_rec* r) {
    if (!r->handler || strcmp(r->handler, "racy") != 0) {
        return DECLINED;
    }
    ap_rprintf(r, "%d\n", ++requests);
    return OK;
}

static void register_hooks(apr_pool_t* pool) {
    (void)pool;
    ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(racy) = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL,
                           register_hooks,          0};
