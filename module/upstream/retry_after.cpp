// The time comes from the state of the worker, or of all members of the balancer.
#include "upstream/retry_after.hpp"

#include "httpd/proxy_workers.hpp"
#include "httpd/request_headers.hpp"
#include "upstream/worker_state.hpp"

namespace wsp {
namespace {

// The member in error that is tried again first, or null if no member is in error.
const proxy_worker* first_to_retry(const proxy_balancer& balancer) {
    const proxy_worker* first = nullptr;
    each_member(balancer, [&first](const proxy_worker* member) {
        const std::int64_t seconds = seconds_until_retry(*member);
        if (seconds > 0 && (first == nullptr || seconds < seconds_until_retry(*first))) {
            first = member;
        }
    });
    return first;
}

}  // namespace

void set_retry_after(request_rec* r, const proxy_worker* worker) {
    const std::int64_t seconds = seconds_until_retry(*worker);
    if (seconds > 0) {
        apr_table_setn(r->err_headers_out, "Retry-After",
                       apr_psprintf(r->pool, "%" APR_INT64_T_FMT, apr_int64_t{seconds}));
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
    const proxy_worker* const first = balancer != nullptr ? first_to_retry(*balancer) : nullptr;
    if (first != nullptr) {
        set_retry_after(r, first);
    }
}

}  // namespace wsp
