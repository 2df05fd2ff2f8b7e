/* A handler with a race on purpose: two requests at a time count in one variable without a lock. A tool that does not report that
 * reports nothing. */
#include <sched.h>
#include <stdatomic.h>

#include "httpd.h"

#include "http_config.h"
#include "http_protocol.h"

static int requests;
static atomic_int arrived;

/* Until another request is here too, or for a second at most. Relaxed, so that it orders nothing between the two threads: without
 * it httpd's own locks often do, and then there is no race. */
static void wait_for_another(void) {
    const apr_time_t until = apr_time_now() + apr_time_from_sec(1);
    const int place = atomic_fetch_add_explicit(&arrived, 1, memory_order_relaxed);
    while (atomic_load_explicit(&arrived, memory_order_relaxed) <= (place | 1) &&
           apr_time_now() < until) {
        sched_yield();
    }
}

static int handle(request_rec* r) {
    if (!r->handler || strcmp(r->handler, "racy") != 0) {
        return DECLINED;
    }
    wait_for_another();
    ap_rprintf(r, "%d\n", ++requests);
    return OK;
}

static void register_hooks(apr_pool_t* pool) {
    (void)pool;
    ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(racy) = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL,
                           register_hooks,          0};
