// Start and end of everything that a child process has of ours.
#include "child/child.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "base/signal_safe_lock.hpp"
#include "config/config.h"
#include "config/slot_watch.hpp"
#include "httpd/background_threads.hpp"
#include "httpd/boundary.hpp"
#include "httpd/limited_log.hpp"
#include "httpd/mpm_query.hpp"
#include "upstream/tunnel_permits.hpp"

namespace wsp {
namespace {

Child* the_child = nullptr;

constexpr DurationUs kStopPatience = ClosePlan::kStopPatience;
// What the threads themselves may take to end beyond that.
constexpr DurationUs kThreadPatience = 1 * kSecond;
// The same, and for the last log lines, after a drain, when nobody waits for the child: on a machine that is short of processors
// they would be lost with it.
constexpr DurationUs kDrainPatience = 10 * kSecond;

wsp_server_config config_of(server_rec* server) {
    return wsp_server_config_resolved(static_cast<const wsp_server_config*>(
        ap_get_module_config(server->module_config, &proxy_websocket_module)));
}

// While a child drains, SIGTERM means that httpd stops after all. The MPMs' own handlers do nothing then: their child waits
// for its threads (event.c, worker.c dummy_signal_handler), or in its pool's cleanup.
volatile std::sig_atomic_t told_to_hurry = 0;
const WakeFd* to_hurry = nullptr;  // set before the handler is

void hurry(int, siginfo_t* info, void*) {
    if (info->si_pid == ::getpid()) {
        return;  // a listener thread that ends wakes its main thread so (event.c, worker.c)
    }
    told_to_hurry = 1;
    to_hurry->wake();  // ends all tunnels
}

void hurry_on_term(const WakeFd& stop) {
    to_hurry = &stop;
    struct sigaction action {};
    action.sa_sigaction = hurry;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGTERM, &action, nullptr);
}

apr_status_t when_connections_are_gone(void*) {
    return guarded_or(APR_EGENERAL, [] {
        Child::current().wait_for_tunnels();
        return APR_SUCCESS;
    });
}

}  // namespace

bool ends_gracefully(bool graceful) {
    if (graceful || is_threaded_mpm()) {
        return graceful;
    }
    // prefork always says "not graceful". It ends a child on the spot from inside its SIGTERM
    // handler, where the signal is blocked; every other way out of a child, a graceful restart
    // among them, is through its main loop.
    sigset_t blocked;
    sigemptyset(&blocked);
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    return sigismember(&blocked, SIGTERM) == 0 && sigismember(&blocked, SIGHUP) == 0;
}

void Child::make(apr_pool_t* pchild, server_rec* server) {
    // In a single process, httpd -X, SIGTERM ends it from inside the handler as with prefork (event.c, worker.c make_child).
    if (is_threaded_mpm() && !ap_exists_config_define("DEBUG") &&
        !ap_exists_config_define("ONE_PROCESS")) {
        SignalSafeLock::spare_signals();
    }
    // Not in the pool: threads that do not end in time go on using it until the process is gone.
    the_child = new Child(server);
    // A plain cleanup: it runs when the pools of all connections are gone, so that a tunnel on its
    // way out of httpd has reached its pump.
    apr_pool_cleanup_register(pchild, nullptr, when_connections_are_gone, apr_pool_cleanup_null);
    // A pre-cleanup: workers, and what preconnecting threads use of them, are gone after it.
    apr_pool_pre_cleanup_register(pchild, nullptr, [](void*) -> apr_status_t {
        await_background_threads(kThreadPatience);
        Child::current().pools().log_left_out();
        log_left_out(ap_server_conf, gates_of_child(), nullptr);
        return APR_SUCCESS;
    });
}

bool Child::exists() {
    return the_child != nullptr;
}

Child& Child::current() {
    return *the_child;
}

WakeFd Child::opened() noexcept {
    WakeFd made;
    static_cast<void>(made.open());
    return made;
}

Child::Child(server_rec* server) : config_(config_of(server)) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0) {
        idle_.reset(ends[0]);
        idle_peer_.reset(ends[1]);
        ::shutdown(idle_peer_.get(), SHUT_RD);  // writing to idle_ is EPIPE from here on
    }
}

Child::~Child() = default;

Pump* Child::pump() {
    if (!idle_.valid() || !has_threads()) {
        return nullptr;
    }
    return &pumps_[next_pump_.fetch_add(1) % pumps_.size()]->pump;
}

bool Child::has_threads() {
    if (threads_made_.load()) {
        return true;
    }
    const SignalSafeLock lock(mutex_);
    if (threads_made_.load()) {
        return true;
    }
    return !stopping_.load() && guarded_or(false, [this] { return start_threads(); });
}

bool Child::start_threads() {
    if (!neutral_tls_ && !(neutral_tls_ = make_neutral_context())) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, ap_server_conf,
                     "WSP0140: no memory for a TLS context; each tunnel keeps its request thread");
        return false;
    }
    // All memory first: a pump whose thread runs cannot be taken back.
    std::vector<std::unique_ptr<ListedPump>> started(
        static_cast<std::size_t>(config_.pump_threads));
    for (auto& each : started) {
        each = std::make_unique<ListedPump>();
    }
    for (std::size_t i = 0; i < started.size(); ++i) {
        if (!started[i]->pump.start(stop_fd())) {
            ap_log_error(
                APLOG_MARK, APLOG_ERR, errno, ap_server_conf,
                "WSP0010: no thread for the tunnels; each keeps its request thread; look at the "
                "limits of processes and threads (TasksMax, ulimit -u)");
            started.resize(i);
        }
    }
    if (started.empty() || !access_log_writer_.start()) {
        for (auto& each : started) {
            each->pump.close_all(ClosePlan::at_once(EndReason::shutdown, monotonic_now(), 0));
            if (!each->pump.join(kThreadPatience)) {
                static_cast<void>(each.release());  // its thread still uses it
            }
        }
        return false;
    }
    for (auto& each : started) {
        each->entry.emplace(loops_, each->pump);
    }
    pumps_ = std::move(started);
    threads_made_.store(true);
    return true;
}

std::shared_ptr<const Policy> Child::share(const Policy& policy) {
    const SignalSafeLock lock(mutex_);
    const auto same = [&policy](const std::shared_ptr<const Policy>& known) {
        return *known == policy;
    };
    const auto known = std::find_if(policies_.begin(), policies_.end(), same);
    if (known != policies_.end()) {
        return *known;
    }
    policies_.push_back(std::make_shared<const Policy>(policy));
    return policies_.back();
}

ClosePlan Child::drain_plan(MonotonicUs now) {
    MonotonicUs since = kNever;
    if (draining_since_.compare_exchange_strong(since, now)) {
        since = now;
    }
    return ClosePlan::drain(since, config_.drain_timeout_us, config_.drain_spread_us,
                            kStopPatience);
}

void Child::stop_tunnels(bool graceful) {
    const ClosePlan plan = plan_of_stop(graceful);
    (graceful ? drain_ : stop_).wake();
    TunnelPermit::end_waiting();
    if (graceful && is_threaded_mpm()) {
        hurry_on_term(stop_);
    }
    if (!stopping_.exchange(true) && threads_made_.load()) {
        ended_before_stop_ = sum_over_pumps(&Pump::ended_tunnels);
    }
    // Pumps that are being made meanwhile hear of it when they are listed.
    loops_.close_all(plan);
}

void Child::stop_at_once() {
    guarded_or(0, [this] { return spare_sockets_.give_back(), 0; });
    stop_tunnels(false);
    spare_sockets_.end_with_tunnels(kStopPatience);
}

ClosePlan Child::plan_of_stop(bool graceful) {
    const MonotonicUs now = monotonic_now();
    return graceful ? drain_plan(now) : ClosePlan::stop(now);
}

std::size_t Child::sum_over_pumps(std::size_t (Pump::*count)() const noexcept) const {
    std::size_t sum = 0;
    for (const auto& each : pumps_) {
        sum += (each->pump.*count)();
    }
    return sum;
}

void Child::join_pumps(MonotonicUs until) {
    constexpr DurationUs kLook = 100 * kMillisecond;
    SlotWatch slots;
    for (auto& each : pumps_) {
        while (!each->pump.join(kLook)) {
            const MonotonicUs now = monotonic_now();
            if (told_to_hurry != 0) {
                told_to_hurry = 0;
                stop_tunnels(false);
                until = now + kStopPatience + kThreadPatience;
            }
            if (now >= until) {
                break;
            }
            slots.look(now);
        }
    }
}

void Child::wait_for_tunnels() {
    const MonotonicUs now = monotonic_now();
    const MonotonicUs since = draining_since_.load();
    const bool draining = since != kNever;
    stop_tunnels(draining);
    hurry_on_term(stop_);
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_UNBLOCK, &term, nullptr);
    const MonotonicUs last = draining ? drain_plan(now).cut : now + kStopPatience;
    join_pumps(last + (draining ? kDrainPatience : kThreadPatience));
    access_log_writer_.finish(draining ? kDrainPatience : kThreadPatience);
    // Those that the last requests have opened since are among them.
    const std::size_t count = sum_over_pumps(&Pump::adopted_tunnels) - ended_before_stop_;
    const std::size_t left = sum_over_pumps(&Pump::tunnels);
    if (count > 0) {
        ap_log_error(APLOG_MARK, left == 0 ? APLOG_INFO : APLOG_WARNING, 0, ap_server_conf,
                     "WSP0011: child %s: %" APR_SIZE_T_FMT
                     " tunnels when it stopped serving, %" APR_SIZE_T_FMT
                     " left at its end, after %" APR_INT64_T_FMT " ms",
                     draining ? "drained" : "stopped", count, left,
                     (monotonic_now() - (draining ? since : now)) / kMillisecond);
    }
}

}  // namespace wsp
