// The thread's loop: look after idle connections, preconnect, wait; until the child process ends.
#include "upstream/preconnector.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>

#include "base/signal_safe_lock.hpp"
#include "httpd/background_threads.hpp"
#include "httpd/boundary.hpp"
#include "upstream/address_race.hpp"
#include "upstream/backend_tls.hpp"
#include "upstream/worker_state.hpp"

namespace wsp {
namespace {

// How long one connection may take. No request waits for it, but the end of the child process does.
constexpr DurationUs kConnectPatience = 10 * kSecond;

enum OwnSlot : std::size_t { kDrain, kStop, kWake, kOwnSlots };

}  // namespace

void Preconnector::set_target(Target target) {
    const SignalSafeLock lock(mutex_);
    target_ = std::move(target);
    wake_locked();
}

void Preconnector::wake() noexcept {
    const SignalSafeLock lock(mutex_);
    wake_locked();
}

Preconnector::Target Preconnector::target() const {
    const SignalSafeLock lock(mutex_);
    return target_;
}

void Preconnector::wake_locked() noexcept {
    if (has_thread_ || start()) {
        wake_.wake();
    } else if (!std::exchange(has_logged_lack_, true)) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, errno, backend_.server(),
                     "WSP0014: no thread for the idle connections to %s: none are preconnected, "
                     "and idle ones are looked at only when a request needs them",
                     name_of(*backend_.worker()));
    }
}

// False with errno when the system refuses.
bool Preconnector::start() noexcept {
    if (!wake_.valid() && !wake_.open()) {
        return false;
    }
    try {
        const StopFds stops = backend_.stops();
        slots_ = {{stops.drain, POLLIN, 0}, {stops.stop, POLLIN, 0}, {wake_.fd(), POLLIN, 0}};
    } catch (const std::bad_alloc&) {
        errno = ENOMEM;
        return false;
    }
    has_thread_ = start_background_thread([this] { run(); });
    return has_thread_;
}

// Throws nothing: nobody would make another thread.
void Preconnector::run() noexcept {
    for (;;) {
        const bool wanted = takes_new_sessions(*backend_.worker());
        if (!wanted) {
            pool_.close_idle();
        }
        pool_.sweep(backend_.room(), readable_, watched_since_);
        const bool had_memory =
            !wanted || guarded_or(false, [&] { return preconnect_missing(), true; });
        MonotonicUs next = pool_.sweep(backend_.room(), {});
        if (!watch_idle() || !watched_.empty() || !wanted || !had_memory) {
            next = std::min(next, monotonic_now() + kWorkerLookInterval);
        }
        if (!wait(next)) {
            break;
        }
    }
    // A child that drains still serves requests, each on a connection of its own. One that stops does not.
    if (is_stopping_) {
        pool_.shut_down();
    } else {
        pool_.close_idle();
    }
}

// Opens one connection after the other, so that a server that is slow to accept gets no crowd of connects.
void Preconnector::preconnect_missing() {
    while (ConnectionPool::Lease lease = pool_.preconnect_lease(backend_.room())) {
        const Target target = this->target();
        auto connection = std::make_unique<BackendConnection>(backend_, target.scheme, target.tls);
        const ConnectFault fault = connect(*connection, target);
        if (fault == ConnectFault::none) {
            lease.connected(std::move(connection));
            lease.give_back();
        } else {
            ap_log_error(APLOG_MARK, APLOG_DEBUG, 0, backend_.server(),
                         "WSP0015: preconnecting to %s:%d failed: %s", target.hostname.c_str(),
                         static_cast<int>(target.port), text_of(fault).data());
            lease.failed(fault);
        }
        if (!wait(0)) {
            return;
        }
    }
}

// Leaves mod_proxy's bookkeeping alone: a request finds out for itself whether the worker can be reached.
ConnectFault Preconnector::connect(BackendConnection& connection, const Target& target) {
    const MonotonicUs deadline = monotonic_now() + kConnectPatience;
    proxy_conn_rec& record = *connection.record();
    if (!target.uds_path.empty()) {
        record.uds_path = apr_pstrdup(record.pool, target.uds_path.c_str());
        record.hostname = apr_pstrdup(record.pool, target.hostname.c_str());
        record.port = target.port;
        apr_sockaddr_info_get(&record.addr, record.uds_path, APR_UNIX, 0, 0, record.pool);
    } else if (determine_address(record, target.hostname.c_str(), target.port, backend_.server()) !=
               APR_SUCCESS) {
        return ConnectFault::name_not_found;
    }
    if (target.tls) {
        record.ssl_hostname = apr_pstrdup(record.scpool, target.tls_name.c_str());
    }
    const ConnectFault fault = race_addresses(backend_, connection, deadline, nullptr);
    if (fault != ConnectFault::none) {
        return fault;
    }
    return set_up_connection(backend_, connection, nullptr) == OK
               ? shake_hands(connection, deadline)
               : ConnectFault::tls_failed;
}

// Lists the idle connections for wait(). False when there is no memory for the list.
bool Preconnector::watch_idle() noexcept {
    slots_.resize(kOwnSlots);
    watched_.clear();
    watched_since_ = monotonic_now();
    try {
        pool_.idle_descriptors(watched_);
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

// Waits for wake(), for an idle connection to become readable, or until `until`. With 0 it does not wait, and looks
// only whether the child ends. False when the child ends.
bool Preconnector::wait(MonotonicUs until) noexcept {
    readable_.clear();
    for (pollfd& slot : slots_) {
        slot.revents = 0;
    }
    ::poll(slots_.data(), until > 0 ? slots_.size() : kOwnSlots,
           poll_timeout_until(until, monotonic_now()));
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
