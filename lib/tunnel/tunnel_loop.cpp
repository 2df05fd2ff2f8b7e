// A round of the loop, and what it knows about its tunnels.
#include "tunnel/tunnel_loop.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "tunnel/survey_respondent.hpp"

namespace wsp {
namespace {

// How many tunnels of other processes are taken in before the tunnels that are here have their turn.
constexpr int kMostReceived = 16;

Tunnel& tunnel_of(std::uintptr_t cookie) {
    return *reinterpret_cast<Tunnel*>(cookie & ~std::uintptr_t{1});
}

Side side_of(std::uintptr_t cookie) {
    return static_cast<Side>(cookie & 1);
}

// Makes room for `count` elements, with some reserve.
template <class T>
void grow(std::vector<T>& list, std::size_t count) {
    if (list.capacity() < count) {
        list.reserve(count + count / 2);
    }
}

}  // namespace

std::uintptr_t TunnelLoop::cookie_of(const Tunnel& tunnel, Side side) noexcept {
    static_assert(alignof(Tunnel) > 1, "the lowest bit of an address is needed");
    return reinterpret_cast<std::uintptr_t>(&tunnel) | static_cast<std::uintptr_t>(side);
}

TunnelLoop::TunnelLoop(Scratch scratch, RecordWorkspace* workspace)
    : scratch_(scratch), workspace_(workspace) {}

void TunnelLoop::round() noexcept {
    const MonotonicUs before = monotonic_now();
    lag_.end(before);
    const MonotonicUs at = wake_at();
    const auto& events = wait(at == kNever ? kNever : at - before);
    const MonotonicUs now = monotonic_now();
    lag_.begin(now);
    bool woken = false;
    for (const Poller::Event& event : events) {
        if (event.cookie > kLastOwnCookie) {
            handle(event, now);
        } else {
            woken = handle_own(event, now) || woken;
        }
    }
    run_queued(now);
    if (woken) {
        wake_fd_.clear();
        process_inbox(now);
    }
    fire_timers(now);
    move_some(now);
    answer_some(now);
    retired_.clear();
    if (plan_ && plan_->abort_at <= now) {
        abort_all(now);
    }
}

// Handles an event that belongs to no tunnel. Returns true when there may be commands.
bool TunnelLoop::handle_own(const Poller::Event& event, MonotonicUs now) noexcept {
    switch (event.cookie) {
        case kStopCookie:
            unwatch_stop();
            close_all(ClosePlan::stop(now));
            return true;
        case kSourceCookie:
            receive(kMostReceived, now);
            return false;
        case kRoomCookie:
            move_at_ = now;
            return false;
        case kSurveyCookie:
            survey_->hear();
            return false;
        default:
            return true;
    }
}

MonotonicUs TunnelLoop::wake_at() const noexcept {
    if (!run_queue_.empty() || answering_) {
        return 0;
    }
    const MonotonicUs first = std::min({timers_.next_at(), move_wake_at(), look_at_});
    const bool will_abort = plan_ && !tunnels_.empty() && plan_->abort_at < first;
    return will_abort ? plan_->abort_at : first;
}

void TunnelLoop::adopt_directly(std::unique_ptr<Tunnel> tunnel, OpeningTunnel,
                                MonotonicUs now) noexcept {
    adopted_count_.fetch_add(1);
    take_in(std::move(tunnel), Arrival::fresh, now);
}

void TunnelLoop::take_in(std::unique_ptr<Tunnel> tunnel, Arrival how, MonotonicUs now) noexcept {
    try {
        make_room_for_one();
    } catch (const std::bad_alloc&) {
        tunnel->abort(EndReason::out_of_memory);
        tunnel->finish_report(now);
        ended_count_.fetch_add(1);
        return;
    }
    tunnel->loop_place = static_cast<std::uint32_t>(tunnels_.size());
    tunnels_.push_back(std::move(tunnel));
    Tunnel& taken = *tunnels_.back();
    if (how == Arrival::fresh) {
        taken.start(now);
    }
    // The sockets and TLS may have had bytes before anybody polled.
    taken.advance(kReadable, kReadable, scratch_, now);
    after_work(taken, now);
    if (plan_ && !taken.done()) {
        follow_plan(taken, *plan_, now);
    }
    if (!taken.done()) {
        check_group(taken, now);
    }
    catch_up_with_survey(taken, now);
    if (moving_) {
        move_place_ = tunnels_.size();  // those that stay are skipped
        move_at_ = now;
    }
}

// The loop allocates memory only here. So no list can fail to grow later, when a tunnel has been moved only in part,
// and the rest of the loop throws nothing.
void TunnelLoop::make_room_for_one() {
    const std::size_t count = tunnels_.size() + 1;
    grow(tunnels_, count);
    grow(retired_, retired_.size() + count);  // all of them may end in the same round
    grow(run_queue_, count);
    grow(run_now_, count);
    timers_.reserve(tunnels_.capacity());
}

void TunnelLoop::handle(const Poller::Event& event, MonotonicUs now) noexcept {
    Tunnel& tunnel = tunnel_of(event.cookie);
    if (tunnel.done()) {
        return;  // has been retired earlier in this round
    }
    const bool client = side_of(event.cookie) == Side::client;
    tunnel.advance(client ? event.ready : kNoInterest, client ? kNoInterest : event.ready, scratch_,
                   now);
    after_work(tunnel, now);
}

void TunnelLoop::run_queued(MonotonicUs now) noexcept {
    run_now_.clear();
    run_now_.swap(run_queue_);
    for (Tunnel* tunnel : run_now_) {
        tunnel->in_run_queue = false;
    }
    for (Tunnel* tunnel : run_now_) {
        if (!tunnel->done()) {
            tunnel->advance(kReadable, kReadable, scratch_, now);
            after_work(*tunnel, now);
        }
    }
}

void TunnelLoop::fire_timers(MonotonicUs now) noexcept {
    while (timers_.next_at() <= now) {
        Tunnel& tunnel = *timers_.next();
        timers_.remove(tunnel);
        // A transfer changes the deadline of a tunnel but not its timer. So the deadline is checked here.
        if (tunnel.deadline() <= now) {
            tunnel.on_timer(now);
        }
        after_work(tunnel, now);
    }
}

// Updates everything that the loop knows about a tunnel.
void TunnelLoop::after_work(Tunnel& tunnel, MonotonicUs now) noexcept {
    if (tunnel.awaits_successors() && workspace_ != nullptr && !tunnel.done()) {
        tunnel.take_successors(*workspace_);
    }
    if (!tunnel.done() && !watch(tunnel)) {
        tunnel.abort(EndReason::internal_error);
    }
    if (tunnel.done()) {
        retire(tunnel, now);
        return;
    }
    if (tunnel.has_more() && !tunnel.in_run_queue) {
        run_queue_.push_back(&tunnel);
        tunnel.in_run_queue = true;
    }
    // A later deadline does not move the timer; it is checked when the timer fires. So most wake-ups cost no heap
    // operation.
    const MonotonicUs deadline = tunnel.deadline();
    if (deadline < tunnel.timer_at) {
        timers_.set(tunnel, deadline);
    }
}

void TunnelLoop::retire(Tunnel& tunnel, MonotonicUs now) noexcept {
    take_out(tunnel);
    tunnel.finish_report(now);
    ended_count_.fetch_add(1);
}

// Makes the loop forget a tunnel, which lives until the end of the round.
void TunnelLoop::take_out(Tunnel& tunnel) noexcept {
    unwatch(tunnel);
    timers_.remove(tunnel);
    if (tunnel.in_run_queue) {
        for (Tunnel*& listed : run_queue_) {
            if (listed == &tunnel) {
                listed = run_queue_.back();
                run_queue_.pop_back();
                break;
            }
        }
        tunnel.in_run_queue = false;
    }
    const std::size_t place = tunnel.loop_place;
    retired_.push_back(std::move(tunnels_[place]));
    if (place + 1 != tunnels_.size()) {
        tunnels_[place] = std::move(tunnels_.back());
        tunnels_[place]->loop_place = static_cast<std::uint32_t>(place);
    }
    tunnels_.pop_back();
}

}  // namespace wsp
