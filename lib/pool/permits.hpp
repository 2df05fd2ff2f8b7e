// A semaphore with a queue: a fixed number of permits, and those who wait for one.
//
// Threads: every function may be called from any thread. Only take() blocks. Signals are held off while the mutex is
// held.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>

#include "base/clock.hpp"
#include "base/signal_safe_lock.hpp"
#include "pool/pool_clock.hpp"

namespace wsp {

class Permits {
  public:
    Permits(std::size_t most, PoolClock& clock) noexcept : most_(most), clock_(clock) {}
    Permits(const Permits&) = delete;
    Permits& operator=(const Permits&) = delete;

    // Takes a permit. Waits for one until the deadline, first come first served; not at all if the deadline has passed.
    // With any fault, or if it throws std::bad_alloc, no permit was taken.
    AcquireFault take(MonotonicUs deadline);
    // Takes a permit even if none is free. More are out then than there are, and none is free until enough are back.
    void take_anyway() noexcept;
    // Gives back a permit that was taken. The first in the queue gets it, unless more are out than there are.
    void give_back() noexcept;

    // Sends away everybody who waits, now or later. Free permits can still be taken.
    void end_waiting() noexcept;

    // How many permits are free.
    std::size_t left() const noexcept;

  private:
    // One call of take(), on the caller's stack.
    struct Waiter {
        // Whoever sets one of these two takes the waiter out of the queue.
        bool has_permit = false;
        bool sent_away = false;
        std::condition_variable turn;
    };

    AcquireFault wait_for_permit(SignalSafeLock& lock, MonotonicUs deadline);

    const std::size_t most_;
    PoolClock& clock_;
    // Guards everything below. Whenever nobody holds it: if somebody is in the queue, all permits are taken, or more.
    mutable std::mutex mutex_;
    std::size_t taken_ = 0;
    std::list<Waiter*> queue_;
    bool waiting_ended_ = false;
};

}  // namespace wsp
