// How a loop hands its tunnels to another process, and takes in the tunnels of others (tunnel_move.hpp).
#include <algorithm>
#include <limits>
#include <utility>

#include "tunnel/survey_respondent.hpp"
#include "tunnel/tunnel_loop.hpp"

namespace wsp {
namespace {

// How many tunnels are sent before those that are still here have their turn.
constexpr int kMostSent = 64;
constexpr int kAll = std::numeric_limits<int>::max();

}  // namespace

// --- any thread -------------------------------------------------------------------------------

void TunnelLoop::move_all(const MovePlan& plan) noexcept {
    if (!can_move_tunnels()) {
        close_all(plan.fallback);
        return;
    }
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!requested_moves_) {
            requested_moves_ = plan;
        }
    }
    wake();
}

void TunnelLoop::request_no_more_tunnels() noexcept {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        no_more_requested_ = true;
    }
    wake();
}

// --- the loop's thread: sending ---------------------------------------------------------------

bool TunnelLoop::watch_room(int, bool) noexcept {
    return false;
}

void TunnelLoop::start_moving(const MovePlan& plan, MonotonicUs now) noexcept {
    moving_ = plan;
    move_place_ = tunnels_.size();
    move_at_ = now;
}

void TunnelLoop::stop_moving() noexcept {
    if (awaits_room_) {
        watch_room(moving_->via->fd(), false);
        awaits_room_ = false;
    }
    moving_.reset();
    move_at_ = kNever;
}

MonotonicUs TunnelLoop::move_wake_at() const noexcept {
    if (!moving_) {
        return kNever;
    }
    const bool has_work = !tunnels_.empty() || left_source_ != nullptr;
    return has_work ? std::min(move_at_, moving_->give_up_at) : kNever;
}

void TunnelLoop::take_back_orphans(MonotonicUs now) noexcept {
    if (left_source_ != nullptr && left_source_->has_orphans(now)) {
        source_ = left_source_;
        receive(kAll, now);
        source_ = nullptr;
    }
}

// Goes backwards through the tunnels, because the last one takes the place of one that has left.
void TunnelLoop::move_some(MonotonicUs now) noexcept {
    if (moving_ && moving_->give_up_at <= now) {
        close_all(moving_->fallback);  // the next round follows it
        stop_moving();
        take_back_orphans(now);
        return;
    }
    if (!moving_ || move_at_ > now) {
        return;
    }
    if (awaits_room_) {
        watch_room(moving_->via->fd(), false);
        awaits_room_ = false;
    }
    take_back_orphans(now);
    look_for_question(now);
    move_at_ = now + kMoveRetry;
    int left = kMostSent;
    std::size_t& at = move_place_;
    for (at = std::min(at, tunnels_.size()); at > 0 && left > 0; --at) {
        const Moved how = move(*tunnels_[at - 1], now);
        left -= how == Moved::moved;
        if (how == Moved::full) {
            // If the system refuses, time says when there is room.
            awaits_room_ = watch_room(moving_->via->fd(), true);
        }
        if (how == Moved::full || how == Moved::not_now) {
            return;
        }
    }
    if (at > 0) {
        move_at_ = now;
    } else {
        at = tunnels_.size();
    }
}

TunnelLoop::Moved TunnelLoop::move(Tunnel& tunnel, MonotonicUs now) noexcept {
    if (tunnel.stays) {
        return Moved::stays;
    }
    SendOutcome sent = SendOutcome::impossible;
    const CanMove can = tunnel.can_move();
    if (can == CanMove::later) {
        return Moved::later;
    }
    // The row of a tunnel that is on its way would be missing.
    catch_up_with_survey(tunnel, now);
    if (tunnel.done()) {
        return Moved::stays;
    }
    if (can == CanMove::now && tunnel.write_image(image_)) {
        sent = image_.ok() ? moving_->via->send(image_, tunnel.stream(Side::client).fd(),
                                                tunnel.stream(Side::backend).fd())
                           : SendOutcome::not_now;
    }
    image_.clear();
    switch (sent) {
        case SendOutcome::sent:
            take_out(tunnel);
            tunnel.moved_away();
            moved_count_.fetch_add(1);
            return Moved::moved;
        case SendOutcome::full:
            return Moved::full;
        case SendOutcome::not_now:
            return Moved::not_now;
        case SendOutcome::impossible:
            break;
    }
    tunnel.stays = true;
    follow_plan(tunnel, moving_->fallback, now);
    return Moved::stays;
}

// --- the loop's thread: receiving -------------------------------------------------------------

void TunnelLoop::unwatch_source(int) noexcept {}

void TunnelLoop::receive(int most, MonotonicUs now) noexcept {
    // So nobody who waits for answers takes the tunnels in between for those of nobody.
    const SurveyRespondent::Receiving receiving(survey_);
    for (; source_ != nullptr && most > 0; --most) {
        std::unique_ptr<Tunnel> tunnel;
        const TunnelSource::Got got = source_->receive(tunnel, workspace_, now);
        if (got == TunnelSource::Got::nothing) {
            return;
        }
        if (got == TunnelSource::Got::tunnel && tunnel) {
            receiving.note_tunnel();
            adopted_count_.fetch_add(1);
            received_count_.fetch_add(1);
            take_in(std::move(tunnel), Arrival::moved, now);
        }
    }
}

// A wake-up that only this loop has had must not be lost: somebody else has to look.
void TunnelLoop::leave_source(MonotonicUs now) noexcept {
    if (source_ == nullptr) {
        return;
    }
    unwatch_source(source_->fd());
    if (!source_->wake_another()) {
        receive(1, now);
        // Without room even now somebody else has sent a tunnel, which woke a reader.
        source_->wake_another();
    }
    left_source_ = std::exchange(source_, nullptr);
}

}  // namespace wsp
