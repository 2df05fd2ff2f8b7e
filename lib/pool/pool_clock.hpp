// How pools and permits get the time, and wait. Tests bring a clock of their own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "base/clock.hpp"
#include "base/signal_safe_lock.hpp"

namespace wsp {

// Why a request has not got what it asked for.
enum class AcquireFault : std::uint8_t {
    none,
    timed_out,  // not by its deadline
    shut_down,  // there is nothing to wait for any more
};

class PoolClock {
  public:
    virtual ~PoolClock() = default;
    virtual MonotonicUs now() noexcept = 0;
    // Waits until `changed` is notified, or for no reason, as condition variables may. False if the deadline has
    // passed.
    virtual bool wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
                      MonotonicUs deadline) = 0;
};

class SystemPoolClock final : public PoolClock {
  public:
    MonotonicUs now() noexcept override { return monotonic_now(); }
    bool wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
              MonotonicUs deadline) override;
};

// The longest that a waiting request delays a signal that ends the process.
constexpr DurationUs kSignalLook = 500 * kMillisecond;

// Waits for `changed` on behalf of a request. False if the deadline has passed. Where signals end the process (prefork)
// it lets them through every kSignalLook, with the lock released: the request's turn may be a minute away.
bool wait_for_turn(PoolClock& clock, SignalSafeLock& lock, std::condition_variable& changed,
                   MonotonicUs deadline);

}  // namespace wsp
