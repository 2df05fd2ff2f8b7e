// What a tunnel is to mod_proxy's bookkeeping once its request is gone: a busy worker for
// lbmethod=bybusyness, bytes for bytraffic and balancer-manager, and, while workers are in error,
// when to come back.
#pragma once

#include <cstdint>

#include "httpd/httpd.hpp"

namespace wsp {

// Counts one live tunnel in the worker's shared record, which all children see. Owned by whoever
// owns the tunnel; any thread. The worker lives as long as the child.
class WorkerLoad {
  public:
    // mod_proxy counts the request itself until its pool is gone (mod_proxy_balancer.c
    // decrement_busy_count).
    explicit WorkerLoad(proxy_worker* worker) noexcept;
    ~WorkerLoad();
    WorkerLoad(const WorkerLoad&) = delete;
    WorkerLoad& operator=(const WorkerLoad&) = delete;

  private:
    proxy_worker_shared* shared_;
};

// Adds what a tunnel has read from the backend and written to it to the worker's byte counts.
void add_traffic(proxy_worker* worker, std::uint64_t read, std::uint64_t written) noexcept;

// Sets Retry-After to the seconds until mod_proxy tries the worker again, if it is in error.
void set_retry_after(request_rec* r, const proxy_worker* worker);

// Sets Retry-After to a second: too many want the same at once.
void set_retry_soon(request_rec* r);

// mod_proxy's request_status: a handshake that finds no balancer member is told when the first one
// will be tried again.
void advise_when_to_retry(int status, request_rec* r);

}  // namespace wsp
