// What a live tunnel counts for in mod_proxy's statistics once its request is gone: a busy worker for
// lbmethod=bybusyness, and bytes for lbmethod=bytraffic and balancer-manager.
#pragma once

#include <cstdint>

#include "httpd/httpd.hpp"

namespace wsp {

// Counts one live tunnel in the worker's shared record, which all children see. Belongs to whoever owns the tunnel; any
// thread. The worker lives as long as the child.
class WorkerLoad {
  public:
    // A null worker is not counted. mod_proxy counts the request itself until the request's pool is gone (mod_proxy_balancer.c decrement_busy_count).
    explicit WorkerLoad(proxy_worker* worker) noexcept;
    ~WorkerLoad();
    WorkerLoad(const WorkerLoad&) = delete;
    WorkerLoad& operator=(const WorkerLoad&) = delete;

  private:
    proxy_worker_shared* shared_;
};

// Adds the bytes that a tunnel has read from the backend and written to it.
void add_traffic(proxy_worker* worker, std::uint64_t read, std::uint64_t written) noexcept;

}  // namespace wsp
