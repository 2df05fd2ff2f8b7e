// give_back() hands a permit directly to the first waiter, so that no newcomer can take it in between.
#include "pool/permits.hpp"

namespace wsp {

AcquireFault Permits::take(MonotonicUs deadline) {
    SignalSafeLock lock(mutex_);
    if (taken_ < most_) {
        ++taken_;
        return AcquireFault::none;
    }
    if (waiting_ended_) {
        return AcquireFault::shut_down;
    }
    return clock_.now() < deadline ? wait_for_permit(lock, deadline) : AcquireFault::timed_out;
}

AcquireFault Permits::wait_for_permit(SignalSafeLock& lock, MonotonicUs deadline) {
    Waiter waiter;
    queue_.push_back(&waiter);
    bool in_time = true;
    while (!waiter.has_permit && !waiter.sent_away && in_time) {
        in_time = wait_for_turn(clock_, lock, waiter.turn, deadline);
    }
    if (waiter.has_permit || waiter.sent_away) {  // also if that came together with the deadline
        return waiter.has_permit ? AcquireFault::none : AcquireFault::shut_down;
    }
    queue_.remove(&waiter);
    return AcquireFault::timed_out;
}

void Permits::take_anyway() noexcept {
    const SignalSafeLock lock(mutex_);
    ++taken_;
}

void Permits::give_back() noexcept {
    const SignalSafeLock lock(mutex_);
    if (queue_.empty() || taken_ > most_) {
        --taken_;
        return;
    }
    Waiter& first = *queue_.front();
    queue_.pop_front();
    first.has_permit = true;
    first.turn.notify_one();
}

void Permits::end_waiting() noexcept {
    const SignalSafeLock lock(mutex_);
    waiting_ended_ = true;
    for (Waiter* waiter : queue_) {
        waiter->sent_away = true;
        waiter->turn.notify_one();
    }
    queue_.clear();
}

std::size_t Permits::left() const noexcept {
    const SignalSafeLock lock(mutex_);
    return taken_ < most_ ? most_ - taken_ : 0;
}

}  // namespace wsp
