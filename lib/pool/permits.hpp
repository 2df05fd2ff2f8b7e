// How many may have something at a time: a number of permits, and a queue of those who wait for one.
//
// Threads: every function from any thread. One mutex, held with signals held off; only take() blocks.
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

    // Waits for its turn until the deadline, first come first served; not at all when that has passed. With another fault
    // than none there is no permit. May throw std::bad_alloc, having taken none.
    AcquireFault take(MonotonicUs deadline);
    // A permit that was taken: the first in the queue has it.
    void give_back() noexcept;

    // Nobody waits any more, now or later; what is free can still be had.
    void end_waiting() noexcept;

    std::size_t left() const noexcept;

  private:
    // One take(), on its own stack.
    struct Waiter {
        // Whoever sets one of these takes it out of the queue.
        bool has_permit = false;
        bool sent_away = false;
        std::condition_variable turn;
    };

    AcquireFault wait_for_permit(SignalSafeLock& lock, MonotonicUs deadline);

    const std::size_t most_;
    PoolClock& clock_;
    // Guards all below. Whenever it is free: with somebody in the queue, all permits are taken.
    mutable std::mutex mutex_;
    std::size_t taken_ = 0;
    std::list<Waiter*> queue_;
    bool waiting_ended_ = false;
};

}  // namespace wsp
