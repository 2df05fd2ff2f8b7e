// Beginning and end of a child process.
#include "child/child.hpp"

#include <unistd.h>

#include <csignal>
#include <utility>

#include "base/signal_safe_lock.hpp"
#include "child/slot_watch.hpp"
#include "httpd/background_threads.hpp"
#include "httpd/boundary.hpp"
#include "httpd/limited_log.hpp"
#include "httpd/mpm_query.hpp"
#include "surveying/kept_for_survey.hpp"

namespace wsp {
namespace {

Child* the_child = nullptr;  // set once, while the process has one thread

constexpr DurationUs kStopPatience = ClosePlan::kStopPatience;
// What the threads themselves may take to end beyond that.
constexpr DurationUs kThreadPatience = 1 * kSecond;
// The same, and for the last log lines, after a drain, when nobody waits for the child: on a machine that is short of
// processors they would be lost with it.
constexpr DurationUs kDrainPatience = 10 * kSecond;

wsp_server_config config_of(server_rec* server) {
    return wsp_server_config_resolved(static_cast<const wsp_server_config*>(
        ap_get_module_config(server->module_config, &proxy_websocket_module)));
}

// While a child drains, SIGTERM means that httpd stops after all. The MPMs' own handlers do nothing then: their child
// waits for its threads (event.c, worker.c dummy_signal_handler), or in its pool's cleanup.
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

// Whether a child that is told to stop has time for its tunnels. Prefork always says "not graceful". It ends a child on
// the spot from inside its SIGTERM handler, where the signal is blocked; every other way out of a child, a graceful
// restart among them, is through its main loop.
bool ends_gracefully(bool graceful) {
    if (graceful || is_threaded_mpm()) {
        return graceful;
    }
    sigset_t blocked;
    sigemptyset(&blocked);
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    return sigismember(&blocked, SIGTERM) == 0 && sigismember(&blocked, SIGHUP) == 0;
}

void let_term_through() {
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_UNBLOCK, &term, nullptr);
}

}  // namespace

void Child::make(apr_pool_t* pchild, server_rec* server) {
    // In a single process, httpd -X, SIGTERM ends it from inside the handler as with prefork (event.c, worker.c
    // make_child).
    if (is_threaded_mpm() && !ap_exists_config_define("DEBUG") &&
        !ap_exists_config_define("ONE_PROCESS")) {
        SignalSafeLock::stop_blocking_signals();
    }
    // Not in the pool: threads that do not end in time go on using it until the process is gone.
    the_child = new Child(server);
    // A plain cleanup: it runs when the pools of all connections are gone, so that a tunnel on its
    // way out of httpd has reached its pump.
    apr_pool_cleanup_register(
        pchild, the_child,
        [](void* child) -> apr_status_t {
            return guarded_or(APR_EGENERAL, [child] {
                static_cast<Child*>(child)->wait_for_tunnels();
                return APR_SUCCESS;
            });
        },
        apr_pool_cleanup_null);
    // A pre-cleanup: workers, and what preconnecting threads use of them, are gone after it.
    apr_pool_pre_cleanup_register(pchild, the_child, [](void* child) -> apr_status_t {
        await_background_threads(kThreadPatience);
        static_cast<Child*>(child)->log_left_out();
        return APR_SUCCESS;
    });
}

Child* Child::current() {
    return the_child;
}

Child::Child(server_rec* main_server) : Child(main_server, config_of(main_server)) {}

Child::Child(server_rec* main_server, const wsp_server_config& config)
    : moves_(TunnelMoves::of_child(main_server)),
      statistics_(main_server),
      tunnels_(config, statistics_.of_server(), survey_page(main_server)),
      pools_(tunnels_.stop_fds(), tunnels_.tunnel_permits(), ConfiguredWorkers::of(config),
             statistics_),
      members_(tunnels_.loops(), tunnels_.stop_fds(), config.drain_spread_us),
      handshake_threads_(config.handshake_threads),
      on_channel_(kept_for_moves(main_server)),
      survey_(survey_page(main_server), &on_channel_),
      services_{pools_,   members_,    policies_,           handshake_threads_,
                tunnels_, statistics_, statistics_.pauses()} {
    if (moves_ != nullptr) {
        receiver_.emplace(*moves_, tunnels_, pools_, members_, policies_, statistics_);
        tunnels_.begin_receiving(*moves_, *receiver_);
    }
}

void Child::log_left_out() {
    pools_.log_left_out();
    wsp::log_left_out(ap_server_conf, gates_of_child(), nullptr);
}

void Child::end_tunnels(bool graceful) {
    if (ends_gracefully(graceful)) {
        end_gracefully();
    } else {
        tunnels_.stop_at_once();
    }
}

void Child::end_gracefully() {
    if (is_threaded_mpm()) {
        hurry_on_term(tunnels_.stop_wake());
    }
    tunnels_.stop(true);
}

// A tunnel that was sent is not left behind: its receiver may not serve any more, and then a pump of this child takes
// it back (TunnelMoves::has_orphans). So the pumps must not end yet.
bool Child::is_moving(MonotonicUs now) const {
    return moves_ != nullptr && now < moves_->waits_until() + kThreadPatience &&
           (tunnels_.counts().left > 0 || moves_->has_unread());
}

void Child::join_pumps(bool draining, MonotonicUs until) {
    constexpr DurationUs kLook = 100 * kMillisecond;
    constexpr DurationUs kLookAtMoves = 5 * kMillisecond;
    SlotWatch slots;
    bool moving = draining;
    for (;;) {
        const MonotonicUs now = monotonic_now();
        if (told_to_hurry != 0) {
            told_to_hurry = 0;
            moving = false;
            tunnels_.stop(false);
            until = now + kStopPatience + kThreadPatience;
        }
        if (moving && is_moving(now)) {
            apr_sleep(kLookAtMoves);
        } else if (tunnels_.join(kLook) || now >= until) {
            break;
        } else if (draining) {
            moving = false;
            log_moves_once();
        }
        slots.look(now);
    }
}

// When nothing moves any more.
void Child::log_moves_once() {
    const auto [at_stop, left, moved] = tunnels_.counts();
    const bool may_move = moves_ != nullptr && moves_->leaves();
    if (may_move && at_stop > 0 && !std::exchange(moves_logged_, true)) {
        moves_->log_summary(at_stop, moved, left);
    }
}

void Child::wait_for_tunnels() {
    const MonotonicUs now = monotonic_now();
    const MonotonicUs since = tunnels_.draining_since();
    const bool draining = since != kNever;
    tunnels_.stop(draining);
    hurry_on_term(tunnels_.stop_wake());
    let_term_through();
    const MonotonicUs last = draining ? tunnels_.drain_plan(now).abort_at : now + kStopPatience;
    join_pumps(draining, last + (draining ? kDrainPatience : kThreadPatience));
    if (draining) {
        log_moves_once();
    }
    tunnels_.log_writer().finish(draining ? kDrainPatience : kThreadPatience);
    const auto [at_stop, left, moved] = tunnels_.counts();
    if (at_stop > 0) {
        ap_log_error(APLOG_MARK, left == 0 ? APLOG_INFO : APLOG_WARNING, 0, ap_server_conf,
                     "WSP0011: child %s: %" APR_SIZE_T_FMT
                     " tunnels when it stopped serving, %" APR_SIZE_T_FMT
                     " left at its end, after %" APR_INT64_T_FMT " ms; %" APR_SIZE_T_FMT
                     " have moved to other child processes",
                     draining ? "drained" : "stopped", at_stop, left,
                     milliseconds_of(monotonic_now() - (draining ? since : now)), moved);
    }
}

}  // namespace wsp
