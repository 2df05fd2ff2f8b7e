// Counters in proxy_worker_shared. mod_proxy changes them without locks and without atomics; we use atomics.
#include "upstream/worker_load.hpp"

namespace wsp {

WorkerLoad::WorkerLoad(proxy_worker* worker) noexcept
    : shared_(worker != nullptr ? worker->s : nullptr) {
    if (shared_ != nullptr) {
        __atomic_fetch_add(&shared_->busy, 1, __ATOMIC_RELAXED);
    }
}

WorkerLoad::~WorkerLoad() {
    if (shared_ == nullptr) {
        return;
    }
    // One of mod_proxy's increments may have overwritten ours: the count must not go below zero.
    auto busy = __atomic_load_n(&shared_->busy, __ATOMIC_RELAXED);
    while (busy > 0 && !__atomic_compare_exchange_n(&shared_->busy, &busy, busy - 1, true,
                                                    __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

void add_traffic(proxy_worker* worker, std::uint64_t read, std::uint64_t written) noexcept {
    __atomic_fetch_add(&worker->s->transferred, static_cast<apr_off_t>(written), __ATOMIC_RELAXED);
    __atomic_fetch_add(&worker->s->read, static_cast<apr_off_t>(read), __ATOMIC_RELAXED);
}

}  // namespace wsp
