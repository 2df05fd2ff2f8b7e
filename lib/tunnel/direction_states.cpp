// The states of a direction, and what follows from each end. States are entered only here.
#include <algorithm>
#include <utility>

#include "protocol/frame_header.hpp"
#include "tunnel/direction.hpp"

namespace wsp {

// A state that has been left is never entered again.
void Direction::enter(Flow flow) noexcept {
    flow_ = std::max(flow_, flow);
}

void Direction::enter(Sink state) noexcept {
    sink_state_ = std::max(sink_state_, state);
}

void Direction::enter(Source how) noexcept {
    source_state_ = source_state_ == Source::open ? how : source_state_;
}

// What no direction ever is, and what its other functions rely on.
bool Direction::is_sound() const noexcept {
    const bool carry_fits = !aside_ || aside_->carry.size() < kMaxControlFrame;
    const bool fin_will_follow = sink_state_ != Sink::finishing || !held_.empty();
    const bool can_be_written =
        held_.empty() || sink_state_ == Sink::open || sink_state_ == Sink::finishing;
    const bool is_read = (flow_ == Flow::stopped) == (source_state_ != Source::open);
    return carry_fits && fin_will_follow && can_be_written && is_read && last_read_ != kNever &&
           blocked_since_ != kNever && (!meter_ || from_ == Side::client);
}

void Direction::source_ended(const IoResult& how) noexcept {
    // The beginning of a frame header that will never be complete is forwarded all the same.
    if (flow_ == Flow::relaying && aside_ && !aside_->carry.empty()) {
        forward(aside_->carry.data(), aside_->carry.size(), last_read_);
        truncated_ = true;
    }
    leave_source(how.status == IoStatus::eof ? Source::ended : Source::lost);
    source_error_ = how.error;
}

void Direction::refuse_source(Violation violation) noexcept {
    violation_ = violation;
    enter(Flow::discarding);
}

void Direction::leave_source(Source how) noexcept {
    enter(how);
    enter(Flow::stopped);
    drop_carry();
}

void Direction::lose_sink() noexcept {
    enter(Sink::lost);
    held_.clear();
    dropped_messages_ += std::exchange(held_messages_, 0);
    if (aside_) {
        aside_->pending.clear();
    }
    enter(Flow::discarding);
}

void Direction::finish() noexcept {
    if (sink_state_ == Sink::open) {
        enter(Sink::finishing);
        send_fin_when_empty();
    }
}

void Direction::send_fin_when_empty() noexcept {
    if (sink_state_ == Sink::finishing && held_.empty()) {
        sink_->shutdown_write();
        enter(Sink::finished);
    }
}

}  // namespace wsp
