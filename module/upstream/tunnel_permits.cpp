// Limits are learned before the children are forked; in a child only who has a permit changes.
#include "upstream/tunnel_permits.hpp"

#include <limits>
#include <unordered_map>

#include "httpd/proxy_workers.hpp"
#include "httpd/request_context.hpp"
#include "pool/permits.hpp"

namespace wsp {
namespace {

std::unordered_map<const proxy_worker*, Permits>& limits() {
    static std::unordered_map<const proxy_worker*, Permits> known;
    return known;
}

PoolClock& clock_of_permits() {
    static SystemPoolClock clock;
    return clock;
}

}  // namespace

TunnelPermit::~TunnelPermit() {
    if (worker_ != nullptr) {
        limits().find(worker_)->second.give_back();
    }
}

AcquireFault TunnelPermit::take(const proxy_worker* worker, MonotonicUs deadline) {
    const auto known = limits().find(worker);
    const AcquireFault fault =
        known != limits().end() ? known->second.take(deadline) : AcquireFault::none;
    if (known != limits().end() && fault == AcquireFault::none) {
        worker_ = worker;
    }
    return fault;
}

void TunnelPermit::end_waiting() noexcept {
    for (auto& [worker, permits] : limits()) {
        permits.end_waiting();
    }
}

std::size_t TunnelPermit::room(const proxy_worker* worker) noexcept {
    const auto known = limits().find(worker);
    return known != limits().end() ? known->second.left() : std::numeric_limits<std::size_t>::max();
}

void learn_worker_limits(server_rec* main_server) {
    limits().clear();
    each_worker(main_server, [](const proxy_worker* worker) {
        if (worker->s->hmax > 0) {
            limits().try_emplace(worker, static_cast<std::size_t>(worker->s->hmax),
                                 clock_of_permits());
        }
    });
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
    for (int i = 0;
         context != nullptr && context->full_workers != nullptr && i < context->full_workers->nelts;
         ++i) {
        proxy_worker_shared& shared = *APR_ARRAY_IDX(context->full_workers, i, proxy_worker*)->s;
        shared.status &= ~PROXY_WORKER_IN_ERROR;
        shared.error_time = 0;
    }
}

}  // namespace wsp
