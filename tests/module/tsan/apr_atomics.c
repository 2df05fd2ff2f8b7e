/* For an httpd under ThreadSanitizer: APR's atomic functions as code that it understands. httpd and APR are not instrumented,
 * so that what they do with APR's atomics is invisible, and with it the order that these make: event hands a connection's
 * pool from thread to thread in a list without a lock (server/mpm_fdqueue.c, ap_queue_info_push_pool), and each use of the
 * memory after that would be taken for a race. Preloaded, these functions take the place of libapr's. */
#include "apr_atomic.h"

#define ORDER __ATOMIC_SEQ_CST

APR_DECLARE(apr_uint32_t) apr_atomic_read32(volatile apr_uint32_t* mem) {
    return __atomic_load_n(mem, ORDER);
}

APR_DECLARE(void) apr_atomic_set32(volatile apr_uint32_t* mem, apr_uint32_t value) {
    __atomic_store_n(mem, value, ORDER);
}

APR_DECLARE(apr_uint32_t) apr_atomic_add32(volatile apr_uint32_t* mem, apr_uint32_t value) {
    return __atomic_fetch_add(mem, value, ORDER);
}

APR_DECLARE(void) apr_atomic_sub32(volatile apr_uint32_t* mem, apr_uint32_t value) {
    __atomic_fetch_sub(mem, value, ORDER);
}

APR_DECLARE(apr_uint32_t) apr_atomic_inc32(volatile apr_uint32_t* mem) {
    return __atomic_fetch_add(mem, 1, ORDER);
}

APR_DECLARE(int) apr_atomic_dec32(volatile apr_uint32_t* mem) {
    return __atomic_sub_fetch(mem, 1, ORDER) != 0;
}

APR_DECLARE(apr_uint32_t)
apr_atomic_cas32(volatile apr_uint32_t* mem, apr_uint32_t with, apr_uint32_t expected) {
    __atomic_compare_exchange_n(mem, &expected, with, 0, ORDER, ORDER);
    return expected;
}

APR_DECLARE(apr_uint32_t) apr_atomic_xchg32(volatile apr_uint32_t* mem, apr_uint32_t value) {
    return __atomic_exchange_n(mem, value, ORDER);
}

APR_DECLARE(void*) apr_atomic_casptr(volatile void** mem, void* with, const void* expected) {
    void* seen = (void*)expected;
    __atomic_compare_exchange_n((void**)mem, &seen, with, 0, ORDER, ORDER);
    return seen;
}

APR_DECLARE(void*) apr_atomic_xchgptr(volatile void** mem, void* with) {
    return __atomic_exchange_n((void**)mem, with, ORDER);
}
