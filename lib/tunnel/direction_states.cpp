// The states of a direction, and what follows from each end. States are entered only here.
#include <algorithm>
#include <utility>

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
