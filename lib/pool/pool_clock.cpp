// Waits on condition variables, with pauses in which signals may come.
#include "pool/pool_clock.hpp"

#include <algorithm>
#include <chrono>

namespace wsp {

bool SystemPoolClock::wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
                           MonotonicUs deadline) {
    const DurationUs left = deadline - now();
    if (left <= 0) {
        return false;
    }
    // At most an hour at a time: wait_for() adds the time of its own clock, and that may overflow.
    changed.wait_for(lock, std::chrono::microseconds(std::min<DurationUs>(left, 3600 * kSecond)));
    return now() < deadline;
}

bool wait_for_turn(PoolClock& clock, SignalSafeLock& lock, std::condition_variable& changed,
                   MonotonicUs deadline) {
    const MonotonicUs look_at = lock.blocks_sigterm() ? clock.now() + kSignalLook : kNever;
    const bool woken = clock.wait(lock.held(), changed, std::min(deadline, look_at));
    lock.deliver_signals();
    return woken || look_at < deadline;
}

}  // namespace wsp
