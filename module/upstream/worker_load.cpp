// Reads and writes proxy_worker_shared, whose counters mod_proxy itself changes without locks.
#include "upstream/worker_load.hpp"

#include <algorithm>
#include <cstring>

#include "httpd/request_headers.hpp"

namespace wsp {
namespace {

// 0 when the worker may be used now.
apr_int64_t seconds_until_retry(const proxy_worker* worker) {
    const proxy_worker_shared& shared = *worker->s;
    if ((shared.status & PROXY_WORKER_IN_ERROR) == 0) {
        return 0;
    }
    const apr_time_t left = shared.error_time + shared.retry - apr_time_now();
    return std::max<apr_int64_t>(1, apr_time_sec(left + APR_USEC_PER_SEC - 1));
}

proxy_balancer* balancer_of(request_rec* r) {
    auto* const config = static_cast<proxy_server_conf*>(
        ap_get_module_config(r->server->module_config, &proxy_module));
    if (r->filename == nullptr || std::strncmp(r->filename, "proxy:", 6) != 0) {
        return nullptr;
    }
    return ap_proxy_get_balancer(r->pool, config, r->filename + 6, 1);
}

}  // namespace

WorkerLoad::WorkerLoad(proxy_worker* worker) noexcept : shared_(worker->s) {
    __atomic_fetch_add(&shared_->busy, 1, __ATOMIC_RELAXED);
}

WorkerLoad::~WorkerLoad() {
    // mod_proxy's own increments are not atomic and may have swallowed ours: never below zero.
    auto busy = __atomic_load_n(&shared_->busy, __ATOMIC_RELAXED);
    while (busy > 0 && !__atomic_compare_exchange_n(&shared_->busy, &busy, busy - 1, true,
                                                    __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

void add_traffic(proxy_worker* worker, std::uint64_t read, std::uint64_t written) noexcept {
    __atomic_fetch_add(&worker->s->transferred, static_cast<apr_off_t>(written), __ATOMIC_RELAXED);
    __atomic_fetch_add(&worker->s->read, static_cast<apr_off_t>(read), __ATOMIC_RELAXED);
}

void set_retry_after(request_rec* r, const proxy_worker* worker) {
    const apr_int64_t seconds = seconds_until_retry(worker);
    if (seconds > 0) {
        apr_table_setn(r->err_headers_out, "Retry-After",
                       apr_psprintf(r->pool, "%" APR_INT64_T_FMT, seconds));
    }
}

void set_retry_soon(request_rec* r) {
    apr_table_setn(r->err_headers_out, "Retry-After", "1");
}

void advise_when_to_retry(int status, request_rec* r) {
    if (status != HTTP_SERVICE_UNAVAILABLE ||
        apr_table_get(r->err_headers_out, "Retry-After") != nullptr || !asks_for_websocket(r)) {
        return;
    }
    const proxy_balancer* const balancer = balancer_of(r);
    if (balancer == nullptr) {
        return;
    }
    const proxy_worker* first = nullptr;
    for (int i = 0; i < balancer->workers->nelts; ++i) {
        const proxy_worker* const worker = APR_ARRAY_IDX(balancer->workers, i, proxy_worker*);
        const apr_int64_t seconds = seconds_until_retry(worker);
        if (seconds > 0 && (first == nullptr || seconds < seconds_until_retry(first))) {
            first = worker;
        }
    }
    if (first != nullptr) {
        set_retry_after(r, first);
    }
}

}  // namespace wsp
