// max= of a worker as a limit of its live tunnels in one child process. mod_proxy has the same limit, but it no longer
// counts a connection that has become a tunnel.
#pragma once

#include <cstddef>
#include <memory>
#include <unordered_map>

#include "httpd/httpd.hpp"
#include "pool/permits.hpp"
#include "pool/pool_clock.hpp"
#include "upstream/configured_workers.hpp"

namespace wsp {

// The permission for one tunnel, from before its handshake until its end. Null where the worker has no max=. Movable;
// any thread, one at a time.
struct GiveBackPermit {
    void operator()(Permits* to) const noexcept { to->give_back(); }
};
using TunnelPermit = std::unique_ptr<Permits, GiveBackPermit>;

// The permits of all workers. Owned by the child process, and never destroyed; the table does not change after
// child_init.
class TunnelPermits {
  public:
    // child_init.
    explicit TunnelPermits(const ConfiguredWorkers& workers);
    TunnelPermits(const TunnelPermits&) = delete;
    TunnelPermits& operator=(const TunnelPermits&) = delete;

    // Fills in `permit`, or fails if the worker has as many live tunnels as its max= allows. Waits until the deadline
    // for one of them to end, first come first served; not at all if the deadline has passed. Request thread.
    [[nodiscard]] AcquireFault take(const proxy_worker* worker, MonotonicUs deadline,
                                    TunnelPermit& permit);

    // The same for a tunnel that is open already and comes from another child process: always, whatever max= says.
    TunnelPermit take_anyway(const proxy_worker* worker) noexcept;

    // The child is about to end: sends away everybody who waits, now and later. Also from inside prefork's signal
    // handlers.
    void end_waiting() noexcept;

    // How many more tunnels the worker may have; the largest number where it has no max=.
    std::size_t room(const proxy_worker* worker) const noexcept;

  private:
    SystemPoolClock clock_;
    std::unordered_map<const proxy_worker*, Permits> limited_;  // workers with a max=
};

}  // namespace wsp
