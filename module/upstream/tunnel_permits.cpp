// One lib Permits for each worker that has a max=.
#include "upstream/tunnel_permits.hpp"

#include <limits>

namespace wsp {

TunnelPermits::TunnelPermits(const ConfiguredWorkers& workers) {
    for (const auto& [worker, max] : workers.max()) {
        limited_.try_emplace(worker, max, clock_);
    }
}

AcquireFault TunnelPermits::take(const proxy_worker* worker, MonotonicUs deadline,
                                 TunnelPermit& permit) {
    const auto found = limited_.find(worker);
    if (found == limited_.end()) {
        return AcquireFault::none;
    }
    const AcquireFault fault = found->second.take(deadline);
    if (fault == AcquireFault::none) {
        permit.reset(&found->second);
    }
    return fault;
}

TunnelPermit TunnelPermits::take_anyway(const proxy_worker* worker) noexcept {
    const auto found = limited_.find(worker);
    if (found == limited_.end()) {
        return nullptr;
    }
    found->second.take_anyway();
    return TunnelPermit(&found->second);
}

void TunnelPermits::end_waiting() noexcept {
    for (auto& [worker, permits] : limited_) {
        permits.end_waiting();
    }
}

std::size_t TunnelPermits::room(const proxy_worker* worker) const noexcept {
    const auto found = limited_.find(worker);
    return found != limited_.end() ? found->second.left() : std::numeric_limits<std::size_t>::max();
}

}  // namespace wsp
