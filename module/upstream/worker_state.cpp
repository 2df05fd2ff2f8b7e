// Reads and writes proxy_worker_shared::status, error_time and retries as mod_proxy does.
#include "upstream/worker_state.hpp"

#include <algorithm>

#include "httpd/request_context.hpp"
#include "upstream/worker_parameters.hpp"

namespace wsp {
namespace {

// Writes only where there is something to change: every request that connects comes here, on all threads of all
// children.
template <class Field>
void clear_if_set(Field& field) {
    if (__atomic_load_n(&field, __ATOMIC_RELAXED) != 0) {
        __atomic_store_n(&field, Field{}, __ATOMIC_RELAXED);
    }
}

// Whether mod_proxy gives it requests, as it is now.
bool is_usable(const proxy_worker& worker) {
    return PROXY_WORKER_IS_USABLE(&worker);
}

}  // namespace

bool may_use(proxy_worker& worker, const char* scheme, server_rec* server) {
    if (!is_usable(worker)) {
        auto* const retry = APR_RETRIEVE_OPTIONAL_FN(ap_proxy_retry_worker);
        if (retry != nullptr) {
            retry(scheme, &worker, server);
        }
    }
    return is_usable(worker);
}

bool takes_new_sessions(const proxy_worker& worker) {
    return is_usable(worker) && !PROXY_WORKER_IS_DRAINING(&worker);
}

bool is_taken_out(const proxy_worker& worker) {
    return PROXY_WORKER_IS(&worker, PROXY_WORKER_STOPPED) ||
           PROXY_WORKER_IS(&worker, PROXY_WORKER_DISABLED) ||
           PROXY_WORKER_IS(&worker, PROXY_WORKER_DRAIN) ||
           PROXY_WORKER_IS(&worker, PROXY_WORKER_HC_FAIL);
}

WhyUnusable why_unusable(const proxy_worker& worker) {
    const unsigned status = worker.s->status;
    if ((status & PROXY_WORKER_HC_FAIL) != 0) {
        return WhyUnusable::health_check;
    }
    if ((status & (PROXY_WORKER_STOPPED | PROXY_WORKER_DISABLED)) != 0) {
        return WhyUnusable::taken_out;
    }
    return is_usable(worker) ? WhyUnusable::draining : WhyUnusable::in_error;
}

void put_in_error(proxy_worker& worker, request_rec* r) {
    proxy_worker_shared& shared = *worker.s;
    if ((shared.status & PROXY_WORKER_IGNORE_ERRORS) != 0) {
        return;
    }
    shared.error_time = apr_time_now();
    shared.status |= PROXY_WORKER_IN_ERROR;
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                  "WSP0109: worker for (%s:%d) is in error for %" APR_TIME_T_FMT
                  " s: none of its addresses can be connected to",
                  shared.hostname_ex, static_cast<int>(shared.port), retry_seconds_of(worker));
}

bool note_connected(proxy_worker& worker) {
    if (!is_usable(worker)) {
        return false;
    }
    clear_if_set(worker.s->error_time);
    clear_if_set(worker.s->retries);
    return true;
}

std::int64_t seconds_until_retry(const proxy_worker& worker) {
    const proxy_worker_shared& shared = *worker.s;
    if ((shared.status & PROXY_WORKER_IN_ERROR) == 0) {
        return 0;
    }
    const apr_time_t left = shared.error_time + shared.retry - apr_time_now();
    return std::max<apr_int64_t>(1, apr_time_sec(left + APR_USEC_PER_SEC - 1));
}

void note_full_worker(request_rec* r, proxy_worker* worker) {
    RequestContext& context = request_context_of(r);
    if (context.full_workers == nullptr) {
        context.full_workers = apr_array_make(r->pool, 2, sizeof(proxy_worker*));
    }
    APR_ARRAY_PUSH(context.full_workers, proxy_worker*) = worker;
}

void pardon_full_workers(request_rec* r) {
    const RequestContext* const context = find_request_context(r);
    if (context == nullptr || context->full_workers == nullptr) {
        return;
    }
    for (int i = 0; i < context->full_workers->nelts; ++i) {
        proxy_worker_shared& shared = *APR_ARRAY_IDX(context->full_workers, i, proxy_worker*)->s;
        shared.status &= ~PROXY_WORKER_IN_ERROR;
        shared.error_time = 0;
    }
}

}  // namespace wsp
