/* A module for the tests: an input filter on every connection that mod_proxy_websocket does not
 * know. It takes as much as it can get from below and gives it away in pieces of at most 1000
 * bytes: what it keeps does not show in poll(). */
#include "httpd.h"

#include "http_config.h"
#include "http_connection.h"
#include "util_filter.h"

#define PIECE 1000
#define HOARD 16384

/* Reads from below into what is kept. Buckets may point into the filter below: make them last. */
static apr_status_t hoard(ap_filter_t* f, apr_bucket_brigade* kept, apr_read_type_e block) {
    apr_bucket* bucket;
    apr_status_t status = ap_get_brigade(f->next, kept, AP_MODE_READBYTES, block, HOARD);
    for (bucket = APR_BRIGADE_FIRST(kept);
         status == APR_SUCCESS && bucket != APR_BRIGADE_SENTINEL(kept);
         bucket = APR_BUCKET_NEXT(bucket)) {
        status = apr_bucket_setaside(bucket, f->c->pool);
        if (status == APR_ENOTIMPL) {
            status = APR_SUCCESS;
        }
    }
    return status;
}

/* The buckets that hold the first `count` bytes, moved to `out`, or copied where they are only
 * looked at. */
static apr_status_t give(apr_bucket_brigade* kept, apr_bucket_brigade* out, apr_off_t count,
                         int copy) {
    apr_bucket *bucket, *end;
    apr_status_t status = apr_brigade_partition(kept, count, &end);
    if (status != APR_SUCCESS && status != APR_INCOMPLETE) {
        return status;
    }
    while ((bucket = APR_BRIGADE_FIRST(kept)) != end && !copy) {
        APR_BUCKET_REMOVE(bucket);
        APR_BRIGADE_INSERT_TAIL(out, bucket);
    }
    for (; bucket != end; bucket = APR_BUCKET_NEXT(bucket)) {
        apr_bucket* twin;
        apr_bucket_copy(bucket, &twin);
        APR_BRIGADE_INSERT_TAIL(out, twin);
    }
    return APR_SUCCESS;
}

static apr_status_t foreign_input(ap_filter_t* f, apr_bucket_brigade* out, ap_input_mode_t mode,
                                  apr_read_type_e block, apr_off_t wanted) {
    apr_bucket_brigade* kept = f->ctx;
    if (kept == NULL) {
        f->ctx = kept = apr_brigade_create(f->c->pool, f->c->bucket_alloc);
    }
    if (mode == AP_MODE_INIT || mode == AP_MODE_EATCRLF) {
        return APR_BRIGADE_EMPTY(kept) ? ap_get_brigade(f->next, out, mode, block, wanted)
                                       : APR_SUCCESS;
    }
    if (APR_BRIGADE_EMPTY(kept)) {
        apr_status_t status = hoard(f, kept, block);
        if (status != APR_SUCCESS) {
            return status;
        }
    }
    switch (mode) {
        case AP_MODE_GETLINE:
            return apr_brigade_split_line(out, kept, block, HUGE_STRING_LEN);
        case AP_MODE_EXHAUSTIVE:
            APR_BRIGADE_CONCAT(out, kept);
            return APR_SUCCESS;
        default:
            return give(kept, out, wanted < PIECE ? wanted : PIECE, mode == AP_MODE_SPECULATIVE);
    }
}

static int add_filter(conn_rec* c, void* csd) {
    (void)csd;
    ap_add_input_filter("FOREIGN", NULL, NULL, c);
    return OK;
}

static void register_hooks(apr_pool_t* pool) {
    (void)pool;
    ap_register_input_filter("FOREIGN", foreign_input, NULL, AP_FTYPE_CONNECTION);
    ap_hook_pre_connection(add_filter, NULL, NULL, APR_HOOK_LAST);
}

AP_DECLARE_MODULE(foreign_filter) = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL,
                                     register_hooks};
