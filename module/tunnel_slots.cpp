// Limits are learned before the children are forked; in a child only the counts change.
#include "tunnel_slots.hpp"

#include <atomic>
#include <limits>
#include <unordered_map>

#include "mapping.hpp"
#include "proxy_workers.hpp"

namespace wsp {
namespace {

struct Limit {
    int most = 0;
    std::atomic<int> live{0};
};

std::unordered_map<const proxy_worker*, Limit>& limits() {
    static std::unordered_map<const proxy_worker*, Limit> known;
    return known;
}

}  // namespace

TunnelSlot::~TunnelSlot() {
    if (worker_ != nullptr) {
        limits().find(worker_)->second.live.fetch_sub(1);
    }
}

bool TunnelSlot::take(const proxy_worker* worker) noexcept {
    const auto known = limits().find(worker);
    if (known == limits().end()) {
        return true;
    }
    Limit& limit = known->second;
    if (limit.live.fetch_add(1) >= limit.most) {
        limit.live.fetch_sub(1);
        return false;
    }
    worker_ = worker;
    return true;
}

std::size_t TunnelSlot::room(const proxy_worker* worker) noexcept {
    const auto known = limits().find(worker);
    if (known == limits().end()) {
        return std::numeric_limits<std::size_t>::max();
    }
    const int left = known->second.most - known->second.live.load();
    return left > 0 ? static_cast<std::size_t>(left) : 0;
}

void learn_worker_limits(server_rec* main_server) {
    limits().clear();
    each_worker(main_server, [](const proxy_worker* worker) {
        if (worker->s->hmax > 0) {
            limits()[worker].most = worker->s->hmax;
        }
    });
}

void note_full_worker(request_rec* r, proxy_worker* worker) {
    RequestRecord& record = record_of(r);
    if (record.full_workers == nullptr) {
        record.full_workers = apr_array_make(r->pool, 2, sizeof(proxy_worker*));
    }
    APR_ARRAY_PUSH(record.full_workers, proxy_worker*) = worker;
}

void pardon_full_workers(request_rec* r) {
    const RequestRecord* const record = find_record(r);
    for (int i = 0;
         record != nullptr && record->full_workers != nullptr && i < record->full_workers->nelts;
         ++i) {
        proxy_worker_shared& shared = *APR_ARRAY_IDX(record->full_workers, i, proxy_worker*)->s;
        shared.status &= ~PROXY_WORKER_IN_ERROR;
        shared.error_time = 0;
    }
}

}  // namespace wsp
