// Finds a pool, or makes it.
#include "upstream/worker_pool_map.hpp"

#include "base/signal_safe_lock.hpp"

namespace wsp {

WorkerPool& WorkerPoolMap::get(proxy_worker* worker, server_rec* server,
                               const wsp_dir_config& config) {
    const SignalSafeLock lock(mutex_);
    std::unique_ptr<WorkerPool>& pool = pools_[{worker, server}];
    if (pool == nullptr) {
        pool = std::make_unique<WorkerPool>(worker, server, config, stops_, permits_, workers_,
                                            statistics_.of(server, worker));
    }
    return *pool;
}

WarningGates& WorkerPoolMap::warnings_of(proxy_worker* worker, server_rec* server) {
    const SignalSafeLock lock(mutex_);
    const auto found = pools_.find({worker, server});
    return found != pools_.end() && found->second != nullptr ? found->second->backend().warnings()
                                                             : gates_of_child();
}

void WorkerPoolMap::log_left_out() noexcept {
    const SignalSafeLock lock(mutex_);
    for (const auto& [key, pool] : pools_) {
        if (pool != nullptr) {  // null where making it has failed for want of memory
            wsp::log_left_out(key.second, pool->backend().warnings(), name_of(*key.first));
        }
    }
}

}  // namespace wsp
