// Fill, sweep, wait; until the child ends.
#include "upstream/preconnector.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>

#include "httpd/background_threads.hpp"
#include "httpd/boundary.hpp"
#include "upstream/backend_connect.hpp"
#include "upstream/tunnel_permits.hpp"

namespace wsp {
namespace {

// How soon a change of the worker's state in shared memory is seen.
constexpr DurationUs kLook = 1 * kSecond;
// What nobody waits for may take its time, but not all of the child's end.
constexpr DurationUs kConnectPatience = 10 * kSecond;

enum OwnSlot : std::size_t { kDrain, kStop, kWake, kOwnSlots };

bool is_wanted(const proxy_worker* worker) {
    return PROXY_WORKER_IS_USABLE(worker) && !PROXY_WORKER_IS_DRAINING(worker);
}

}  // namespace

bool Preconnector::start() noexcept {
    if (has_thread_) {
        return true;
    }
    if (!wake_.valid() && !wake_.open()) {
        return false;
    }
    try {
        const StopFds stops = worker_pool_.stops();
        slots_ = {{stops.drain, POLLIN, 0}, {stops.stop, POLLIN, 0}, {wake_.fd(), POLLIN, 0}};
    } catch (const std::bad_alloc&) {
        errno = ENOMEM;
        return false;
    }
    has_thread_ = start_background_thread([this] { run(); });
    return has_thread_;
}

void Preconnector::wake() noexcept {
    wake_.wake();
}

void Preconnector::run() noexcept {
    ConnectionPool& pool = worker_pool_.pool();
    for (;;) {
        const bool wanted = is_wanted(worker_pool_.worker());
        if (!wanted) {
            pool.let_go();
        }
        pool.sweep(TunnelPermit::room(worker_pool_.worker()), readable_, watched_since_);
        const bool filled = !wanted || guarded_or(false, [&] { return fill(), true; });
        MonotonicUs next = pool.sweep(TunnelPermit::room(worker_pool_.worker()), {});
        // Without memory it is tried again.
        if (!watch_idle() || !watched_.empty() || !wanted || !filled) {
            next = std::min(next, monotonic_now() + kLook);
        }
        if (!wait(next)) {
            break;
        }
    }
    // What still comes to a child that drains is served, on connections of its own.
    if (is_stopping_) {
        pool.shut_down();
    } else {
        pool.let_go();
    }
}

// As many as are missing. One after the other: a server that is slow to accept is not hurried.
void Preconnector::fill() {
    while (ConnectionPool::Lease lease =
               worker_pool_.pool().preconnect_lease(TunnelPermit::room(worker_pool_.worker()))) {
        const WorkerPool::Target target = worker_pool_.target();
        auto connection = std::make_unique<BackendConnection>(
            worker_pool_.worker(), worker_pool_.server(), target.scheme, target.tls,
            worker_pool_.stops().stop);
        const ConnectFault fault =
            preconnect(worker_pool_, *connection, target, monotonic_now() + kConnectPatience);
        if (fault == ConnectFault::none) {
            lease.connected(std::move(connection));
            lease.give_back();
        } else {
            ap_log_error(APLOG_MARK, APLOG_DEBUG, 0, worker_pool_.server(),
                         "WSP0015: no connection made ahead to %s:%d: %s", target.hostname.c_str(),
                         static_cast<int>(target.port), text_of(fault));
            lease.failed(fault);
        }
        if (!wait(0)) {
            return;
        }
    }
}

bool Preconnector::watch_idle() noexcept {
    slots_.resize(kOwnSlots);
    watched_.clear();
    watched_since_ = monotonic_now();
    try {
        worker_pool_.pool().idle_descriptors(watched_);
        slots_.reserve(kOwnSlots + watched_.size());
        readable_.reserve(watched_.size());
    } catch (const std::bad_alloc&) {
        return false;
    }
    for (const int fd : watched_) {
        slots_.push_back({fd, POLLIN, 0});
    }
    return true;
}

// Looks at the idle connections too, unless it is only to look and not to wait.
bool Preconnector::wait(MonotonicUs until) noexcept {
    const int timeout = poll_timeout_until(until, monotonic_now());
    readable_.clear();
    for (pollfd& slot : slots_) {
        slot.revents = 0;
    }
    ::poll(slots_.data(), until > 0 ? slots_.size() : kOwnSlots, timeout);
    for (std::size_t i = kOwnSlots; i < slots_.size(); ++i) {
        if (slots_[i].revents != 0) {
            readable_.push_back(slots_[i].fd);
        }
    }
    if (slots_[kWake].revents != 0 && until > 0) {
        wake_.clear();
    }
    is_stopping_ = slots_[kStop].revents != 0;
    return slots_[kDrain].revents == 0 && !is_stopping_;
}

}  // namespace wsp
