// Start and end of everything that a child process has of ours.
#include "child.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "base/blocked_signals.hpp"
#include "boundary.hpp"
#include "config.h"
#include "protocol/close_code.hpp"

namespace wsp {
namespace {

Child* the_child = nullptr;

// How long a stopping child gives its tunnels to end in order; the MPM's parent kills after 3 seconds and more
// (server/mpm_unix.c ap_reclaim_child_processes).
constexpr DurationUs kStopPatience = 1 * kSecond;
// What the threads themselves may take to end beyond that.
constexpr DurationUs kThreadPatience = 1 * kSecond;

std::size_t configured_pumps(server_rec* server) {
    const auto* config =
        static_cast<const wsp_server_config*>(ap_get_module_config(server->module_config, &proxy_websocket_module));
    return static_cast<std::size_t>(wsp_server_config_resolved(config).pump_threads);
}

apr_status_t when_connections_are_gone(void*) {
    return guarded_or(APR_EGENERAL, [] {
        Child::current().wait_for_tunnels();
        return APR_SUCCESS;
    });
}

}  // namespace

void Child::make(apr_pool_t* pchild, server_rec* server) {
    // Not in the pool: threads that do not end in time go on using it until the process is gone.
    the_child = new Child(server);
    // A plain cleanup: it runs when the pools of all connections are gone, so that a tunnel on its way out of httpd has
    // reached its pump.
    apr_pool_cleanup_register(pchild, nullptr, when_connections_are_gone, apr_pool_cleanup_null);
}

bool Child::exists() {
    return the_child != nullptr;
}

Child& Child::current() {
    return *the_child;
}

Child::Child(server_rec* server) : pump_count_(configured_pumps(server)) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0) {
        idle_.reset(ends[0]);
        idle_peer_.reset(ends[1]);
        ::shutdown(idle_peer_.get(), SHUT_RD);  // writing to idle_ is EPIPE from here on
    }
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0) {
        stop_read_.reset(ends[0]);
        stop_write_.reset(ends[1]);
    }
}

Child::~Child() = default;

Pump* Child::pump() {
    if (stopping_.load() || !idle_.valid()) {
        return nullptr;
    }
    const BlockedSignals blocked;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!threads_made_ && !start_threads()) {
        return nullptr;
    }
    return pumps_[next_pump_.fetch_add(1) % pumps_.size()].get();
}

bool Child::start_threads() {
    std::vector<std::unique_ptr<Pump>> started;
    for (std::size_t i = 0; i < pump_count_; ++i) {
        auto pump = std::make_unique<Pump>();
        if (!pump->start()) {
            ap_log_error(APLOG_MARK, APLOG_ERR, errno, ap_server_conf,
                         "WSP0010: no thread for the tunnels; each keeps its request thread");
            break;
        }
        started.push_back(std::move(pump));
    }
    if (started.empty() || !scribe_.start()) {
        for (auto& pump : started) {
            pump->close_all(EndReason::shutdown, kCloseGoingAway, 0);
            if (!pump->join(kThreadPatience)) {
                pump.release();  // its thread still uses it
            }
        }
        return false;
    }
    pumps_ = std::move(started);
    threads_made_ = true;
    return true;
}

std::shared_ptr<const Policy> Child::share(const Policy& policy) {
    const BlockedSignals blocked;
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto same = [&policy](const std::shared_ptr<const Policy>& known) { return *known == policy; };
    const auto known = std::find_if(policies_.begin(), policies_.end(), same);
    if (known != policies_.end()) {
        return *known;
    }
    policies_.push_back(std::make_shared<const Policy>(policy));
    return policies_.back();
}

void Child::stop_tunnels(bool) {
    stopping_.store(true);
    const char byte = 0;
    [[maybe_unused]] const ssize_t n = ::write(stop_write_.get(), &byte, 1);
    // No lock: no pump is made once stopping_ is set, and prefork calls this from a signal handler.
    for (auto& pump : pumps_) {
        pump->close_all(EndReason::shutdown, kCloseGoingAway, kStopPatience);
    }
}

void Child::wait_for_tunnels() {
    stop_tunnels(false);
    for (auto& pump : pumps_) {
        if (!pump->join(kStopPatience + kThreadPatience)) {
            ap_log_error(APLOG_MARK, APLOG_WARNING, 0, ap_server_conf,
                         "WSP0011: %" APR_SIZE_T_FMT " tunnels had not ended when the process had to", pump->tunnels());
        }
    }
    scribe_.finish(kThreadPatience);
}

}  // namespace wsp
