/* A module for the tests: an output filter on every client's connection that gives the first bytes of what is sent away one by
 * one, each in a brigade of its own. "ChopWith meta" puts metadata that nobody knows in front of each, "ChopWith flush" has each
 * flushed. */
#include "httpd.h"

#include "apr_strings.h"
#include "http_config.h"
#include "http_connection.h"
#include "util_filter.h"

#define FIRST 64

enum { WITH_NOTHING, WITH_META, WITH_FLUSH };
static int chop_with = WITH_NOTHING;

static apr_status_t meta_read(apr_bucket* b, const char** data, apr_size_t* size,
                              apr_read_type_e block) {
    (void)b, (void)block;
    *data = NULL;
    *size = 0;
    return APR_SUCCESS;
}

static const apr_bucket_type_t meta_type = {"CHOPPED",
                                            5,
                                            APR_BUCKET_METADATA,
                                            apr_bucket_destroy_noop,
                                            meta_read,
                                            apr_bucket_setaside_noop,
                                            apr_bucket_split_notimpl,
                                            apr_bucket_simple_copy};

static apr_bucket* meta_create(apr_bucket_alloc_t* list) {
    apr_bucket* b = apr_bucket_alloc(sizeof *b, list);
    APR_BUCKET_INIT(b);
    b->free = apr_bucket_free;
    b->list = list;
    b->type = &meta_type;
    b->length = 0;
    b->start = 0;
    b->data = NULL;
    return b;
}

/* The first bucket of `from`, alone, with what goes with it. */
static apr_status_t pass_first(ap_filter_t* f, apr_bucket_brigade* from, apr_bucket_brigade* one) {
    apr_bucket* bucket = APR_BRIGADE_FIRST(from);
    const int is_data = !APR_BUCKET_IS_METADATA(bucket);
    APR_BUCKET_REMOVE(bucket);
    if (is_data && chop_with == WITH_META) {
        APR_BRIGADE_INSERT_TAIL(one, meta_create(one->bucket_alloc));
    }
    APR_BRIGADE_INSERT_TAIL(one, bucket);
    if (is_data && chop_with == WITH_FLUSH) {
        APR_BRIGADE_INSERT_TAIL(one, apr_bucket_flush_create(one->bucket_alloc));
    }
    return ap_pass_brigade(f->next, one);
}

static apr_status_t chop(ap_filter_t* f, apr_bucket_brigade* from) {
    apr_size_t* left = f->ctx;
    apr_bucket_brigade* one = apr_brigade_create(f->c->pool, f->c->bucket_alloc);
    while (*left > 0 && !APR_BRIGADE_EMPTY(from)) {
        apr_bucket* bucket = APR_BRIGADE_FIRST(from);
        apr_status_t status = APR_SUCCESS;
        if (!APR_BUCKET_IS_METADATA(bucket)) {
            const char* data;
            apr_size_t size;
            status = apr_bucket_read(bucket, &data, &size, APR_BLOCK_READ);
            if (status == APR_SUCCESS && size > 1) {
                status = apr_bucket_split(bucket, 1);
            }
            --*left;
        }
        if (status == APR_SUCCESS) {
            status = pass_first(f, from, one);
        }
        apr_brigade_cleanup(one);
        if (status != APR_SUCCESS) {
            return status;
        }
    }
    return APR_BRIGADE_EMPTY(from) ? APR_SUCCESS : ap_pass_brigade(f->next, from);
}

static int add_filter(conn_rec* c, void* csd) {
    (void)csd;
    if (c->master == NULL && !c->outgoing) {
        apr_size_t* left = apr_palloc(c->pool, sizeof *left);
        *left = FIRST;
        ap_add_output_filter("CHOPPING", left, NULL, c);
    }
    return OK;
}

static const char* set_chop_with(cmd_parms* cmd, void* config, const char* word) {
    (void)cmd, (void)config;
    chop_with = !strcmp(word, "meta")    ? WITH_META
                : !strcmp(word, "flush") ? WITH_FLUSH
                                         : WITH_NOTHING;
    return NULL;
}

static const command_rec commands[] = {
    AP_INIT_TAKE1("ChopWith", set_chop_with, NULL, RSRC_CONF, "nothing, meta or flush"), {NULL}};

static void register_hooks(apr_pool_t* pool) {
    (void)pool;
    /* In front of those of its type that come later (util_filter.c). */
    ap_register_output_filter("CHOPPING", chop, NULL, AP_FTYPE_CONNECTION);
    ap_hook_pre_connection(add_filter, NULL, NULL, APR_HOOK_LAST);
}

AP_DECLARE_MODULE(chopping_filter) = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, commands,
                                      register_hooks};
