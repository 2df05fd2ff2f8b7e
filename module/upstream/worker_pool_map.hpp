// The worker pools of a child process, by worker and virtual host.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "upstream/tunnel_permits.hpp"
#include "upstream/worker_pool.hpp"

namespace wsp {

// Owned by the child process. Any thread; the mutex guards the table.
class WorkerPoolMap {
  public:
    // All but `stops` outlive the map.
    WorkerPoolMap(StopFds stops, const TunnelPermits& permits, const ConfiguredWorkers& workers,
                  Statistics& statistics)
        : stops_(stops), permits_(permits), workers_(workers), statistics_(statistics) {}

    // The pool is made when it is asked for the first time, with that request's `config` (resolved), and is then kept.
    WorkerPool& get(proxy_worker* worker, server_rec* server, const wsp_dir_config& config);
    // The limits of the warnings about a backend. Before its pool is made, and for a null worker, those of the child.
    WarningGates& warnings_of(proxy_worker* worker, server_rec* server);
    // The child ends: logs how many warnings about each backend were left out.
    void log_left_out() noexcept;

  private:
    const StopFds stops_;
    const TunnelPermits& permits_;
    const ConfiguredWorkers& workers_;
    Statistics& statistics_;
    std::mutex mutex_;
    std::map<std::pair<proxy_worker*, server_rec*>, std::unique_ptr<WorkerPool>> pools_;
};

}  // namespace wsp
