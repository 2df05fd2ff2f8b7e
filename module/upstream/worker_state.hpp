// The state of a worker in mod_proxy's shared memory: in error, stopped, disabled, draining. All child processes,
// mod_proxy, balancer-manager and mod_proxy_hcheck read and write it without locks. All that the module reads or writes
// of it is here.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "httpd/httpd.hpp"

namespace wsp {

// How often threads that wait look at it: nothing wakes them when it changes.
constexpr DurationUs kWorkerLookInterval = 1 * kSecond;

// Whether a request may use the worker. A worker in error is made usable again when its retry= is over, as
// ap_proxy_acquire_connection does.
bool may_use(proxy_worker& worker, const char* scheme, server_rec* server);

// Whether it is usable and not draining.
bool takes_new_sessions(const proxy_worker& worker);

// Whether a balancer member is stopped, disabled, draining, or fails its health check. A member in error is not taken
// out: that means only that one connect has failed.
bool is_taken_out(const proxy_worker& worker);

enum class WhyUnusable : std::uint8_t {
    health_check,  // hcmethod= fails
    taken_out,     // stopped or disabled, by status= or balancer-manager
    draining,      // it takes requests of its own sessions only
    in_error,      // a connect has failed
};
// Of a worker that takes no new sessions.
WhyUnusable why_unusable(const proxy_worker& worker);

// None of its addresses can be connected to: the worker is in error for its retry=, unless it has status=+I. Logs that.
void put_in_error(proxy_worker& worker, request_rec* r);

// A request has connected: the worker's errors are forgotten. False if another thread has put the worker in error
// meanwhile: mod_proxy does not use the connection then.
bool note_connected(proxy_worker& worker);

// The seconds until a worker in error is tried again, at least 1. 0 for a worker that is not in error.
std::int64_t seconds_until_retry(const proxy_worker& worker);

// Remembers that the request was refused because the worker has no room for it.
void note_full_worker(request_rec* r, proxy_worker* worker);

// mod_proxy's request_status hook. mod_proxy puts a balancer member in error because of the 503 that makes the balancer
// try another member. A full member is not faulty: this takes it out of error again.
void pardon_full_workers(request_rec* r);

}  // namespace wsp
