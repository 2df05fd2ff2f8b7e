// Making the threads, and ending the tunnels.
#include "handoff/tunnel_host.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/signal_safe_lock.hpp"
#include "httpd/boundary.hpp"
#include "moving/tunnel_moves.hpp"
#include "tunnel/blocking_pump.hpp"

namespace wsp {
namespace {

constexpr DurationUs kStopPatience = ClosePlan::kStopPatience;

}  // namespace

WakeFd TunnelHost::opened() noexcept {
    WakeFd made;
    static_cast<void>(made.open());
    return made;
}

TunnelHost::TunnelHost(const wsp_server_config& config, SeriesCounters of_server,
                       SurveyPage* survey)
    : of_server_(of_server),
      pump_threads_(config.pump_threads),
      drain_timeout_(config.drain_timeout_us),
      drain_spread_(config.drain_spread_us),
      tunnel_permits_(ConfiguredWorkers::of(config)) {
    if (survey != nullptr) {
        survey_.emplace(*survey, loops_);
    }
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0) {
        idle_.reset(ends[0]);
        idle_peer_.reset(ends[1]);
        ::shutdown(idle_peer_.get(), SHUT_RD);  // writing to idle_ is EPIPE from here on
    }
}

Pump* TunnelHost::pump() {
    if (!idle_.valid() || !has_threads()) {
        return nullptr;
    }
    return &pumps_[next_pump_.fetch_add(1) % pumps_.size()]->pump;
}

bool TunnelHost::has_threads() {
    if (threads_made_.load()) {
        return true;
    }
    const SignalSafeLock lock(mutex_);
    if (threads_made_.load()) {
        return true;
    }
    // A child that stops makes no pumps any more. Where it has them, a tunnel whose handshake ends only now leaves its
    // thread all the same, and moves on with the others.
    const bool may_start = !stopping_.load() || !pumps_.empty();
    return may_start && guarded_or(false, [this] { return start_threads(); });
}

bool TunnelHost::start_threads() {
    if (!neutral_tls_ && !(neutral_tls_ = make_neutral_context())) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, ap_server_conf,
                     "WSP0140: no memory for a TLS context; each tunnel keeps its request thread");
        return false;
    }
    if (!has_pumps() || !log_writer_.start()) {
        return false;
    }
    threads_made_.store(true);
    return true;
}

bool TunnelHost::has_pumps() {
    if (pumps_.empty()) {
        if (survey_) {
            // Before it has tunnels: whoever asks waits for this process from now on.
            survey_->join(::getpid());
        }
        pumps_ = start_pumps();
        if (survey_ && pumps_.empty()) {
            survey_->leave(::getpid());
        }
    }
    return !pumps_.empty();
}

void TunnelHost::have_answer(BlockingPump& loop) {
    if (survey_) {
        loop.answer(*survey_);
    }
}

OpeningTunnel TunnelHost::announce_tunnel() {
    if (!survey_) {
        return {};
    }
    if (!survey_->has_listener()) {
        const SignalSafeLock lock(mutex_);
        if (!stopping_.load()) {
            guarded_or(false, [this] { return has_pumps(); });
        }
    }
    return survey_->open_tunnel();
}

bool TunnelHost::start(ListedPump& listed) {
    Pump& pump = listed.pump;
    pump.count_lag(of_server_);
    if (survey_) {
        pump.answer(*survey_);
    }
    listed.entry.emplace(loops_, pump);
    return (source_ == nullptr || pump.receive_from(*source_)) && pump.start(stop_.fd());
}

void TunnelHost::begin_receiving(TunnelMoves& moves, TunnelSource& source) {
    moves_ = &moves;
    source_ = &source;
    const SignalSafeLock lock(mutex_);
    if (guarded_or(false, [this] { return has_pumps(); })) {
        moves.begin_serving();
    }
}

bool TunnelHost::may_receive(MonotonicUs now) {
    if (moves_->serves() || moves_->has_orphans(now)) {
        has_threads();  // if there is none for the log yet, the next tunnel tries again
        return true;
    }
    if (!moves_->leaves()) {  // it will soon; when it does, it is told (child_stopping)
        stop_receiving();
    }
    return false;
}

void TunnelHost::stop_receiving() {
    moves_->end_serving();
    const SignalSafeLock lock(mutex_);
    for (auto& each : pumps_) {
        each->pump.stop_receiving();
    }
}

// As many as the system allows. All memory is allocated first: a pump whose thread runs cannot be taken back.
TunnelHost::Pumps TunnelHost::start_pumps() {
    Pumps started(static_cast<std::size_t>(pump_threads_));
    for (auto& each : started) {
        each = std::make_unique<ListedPump>();
    }
    for (std::size_t i = 0; i < started.size(); ++i) {
        if (!start(*started[i])) {
            ap_log_error(
                APLOG_MARK, APLOG_ERR, errno, ap_server_conf,
                "WSP0010: the system refuses a thread: %" APR_SIZE_T_FMT " of %" APR_SIZE_T_FMT
                " pumps run in this child process; without any, each tunnel keeps its request "
                "thread; look at the limits of processes and threads (TasksMax, ulimit -u)",
                i, started.size());
            started.resize(i);
        }
    }
    return started;
}

ClosePlan TunnelHost::drain_plan(MonotonicUs now) {
    MonotonicUs since = kNever;
    if (draining_since_.compare_exchange_strong(since, now)) {
        since = now;
    }
    ClosePlan plan = ClosePlan::drain(since, drain_timeout_, drain_spread_, kStopPatience);
    if (moves_ != nullptr) {  // a tunnel that waits for a child to move to is not cut meanwhile
        plan.abort_at = std::max(plan.abort_at, moves_->waits_until() + kStopPatience);
    }
    return plan;
}

void TunnelHost::stop(bool graceful) {
    const MonotonicUs now = monotonic_now();
    const MonotonicUs others_until = moves_ != nullptr ? moves_->begin_leaving(now) : 0;
    const ClosePlan plan = graceful ? drain_plan(now) : ClosePlan::stop(now);
    (graceful ? drain_ : stop_).wake();
    tunnel_permits_.end_waiting();
    if (!stopping_.exchange(true) && threads_made_.load()) {
        ended_before_stop_ = sum_over_pumps(&Pump::ended_tunnels);
        received_before_stop_ = sum_over_pumps(&Pump::received_tunnels);
    }
    // Pumps that are being made meanwhile hear of it when they are listed.
    if (graceful && moves_ != nullptr) {
        loops_.move_all({moves_, others_until, plan});
    } else {
        loops_.close_all(plan);
    }
}

void TunnelHost::stop_at_once() {
    guarded_or(0, [this] { return spare_sockets_.give_back(), 0; });
    stop(false);
    spare_sockets_.end_with_tunnels(kStopPatience);
}

bool TunnelHost::join(DurationUs patience) {
    const MonotonicUs until = monotonic_now() + patience;
    while (joined_ < pumps_.size()) {
        if (!pumps_[joined_]->pump.join(until - monotonic_now())) {
            return false;
        }
        ++joined_;
    }
    if (survey_) {
        survey_->leave(::getpid());
    }
    return true;
}

std::size_t TunnelHost::sum_over_pumps(std::size_t (Pump::*count)() const noexcept) const {
    std::size_t sum = 0;
    for (const auto& each : pumps_) {
        sum += (each->pump.*count)();
    }
    return sum;
}

TunnelHost::Counts TunnelHost::counts() const {
    const std::size_t back = sum_over_pumps(&Pump::received_tunnels) - received_before_stop_;
    return {sum_over_pumps(&Pump::adopted_tunnels) - ended_before_stop_ - back,
            sum_over_pumps(&Pump::tunnels), sum_over_pumps(&Pump::moved_tunnels) - back};
}

}  // namespace wsp
