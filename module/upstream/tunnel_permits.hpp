// A worker's max= as a cap of its live tunnels. mod_proxy's own connections are given back at the handover, so that
// its limit, which like ours is per child process, no longer sees them.
#pragma once

#include <cstddef>
#include <utility>

#include "httpd/httpd.hpp"
#include "pool/pool_clock.hpp"

namespace wsp {

// One live tunnel, or one on its way. Movable; any thread, one at a time.
class TunnelPermit {
  public:
    TunnelPermit() noexcept = default;
    TunnelPermit(TunnelPermit&& from) noexcept : worker_(std::exchange(from.worker_, nullptr)) {}
    TunnelPermit& operator=(TunnelPermit&& from) noexcept {
        std::swap(worker_, from.worker_);
        return *this;
    }
    TunnelPermit(const TunnelPermit&) = delete;
    TunnelPermit& operator=(const TunnelPermit&) = delete;
    ~TunnelPermit();

    // Has failed when the worker has as many live tunnels in this child as its max= allows. Until the deadline, where that
    // is to come, it waits for one of them to end, first come first served. Request thread.
    [[nodiscard]] AcquireFault take(const proxy_worker* worker, MonotonicUs deadline);

    // The child is to end: nobody waits any more, now or later. From inside prefork's signal handlers too.
    static void end_waiting() noexcept;

    // How many more the worker may have in this child.
    static std::size_t room(const proxy_worker* worker) noexcept;

  private:
    const proxy_worker* worker_ = nullptr;  // only with a max=
};

// post_config: notes which workers have an explicit max=; a child's mod_proxy fills in a default where there is none
// (proxy_util.c ap_proxy_initialize_worker). Main thread.
void learn_worker_limits(server_rec* main_server);

// take() has failed for `r`, a request to a balancer: mod_proxy has put the member in error on account of the 503, so
// that another one was tried; being full is no error. To be called from mod_proxy's request_status.
void pardon_full_workers(request_rec* r);
// Remembers the worker for that.
void note_full_worker(request_rec* r, proxy_worker* worker);

}  // namespace wsp
