// The time, and waiting for it, as pools see them: tests invent both.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "base/clock.hpp"
#include "base/signal_safe_lock.hpp"

namespace wsp {

// Why a request has not got what it asked for: not by its deadline, or there is nothing to wait for any more.
enum class AcquireFault : std::uint8_t { none, timed_out, shut_down };

class PoolClock {
  public:
    virtual ~PoolClock() = default;
    virtual MonotonicUs now() noexcept = 0;
    // False when the deadline has passed.
    virtual bool wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
                      MonotonicUs deadline) = 0;
};

class SystemPoolClock final : public PoolClock {
  public:
    MonotonicUs now() noexcept override { return monotonic_now(); }
    bool wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
              MonotonicUs deadline) override;
};

// How long a signal that ends the process may have to wait for a request that waits.
constexpr DurationUs kSignalLook = 500 * kMillisecond;

// A request waits for `changed`. False when the deadline has passed. Where signals end the process (prefork), it looks for
// them now and then, without the lock: they are not to wait for a turn that may be a minute away.
bool wait_for_turn(PoolClock& clock, SignalSafeLock& lock, std::condition_variable& changed,
                   MonotonicUs deadline);

}  // namespace wsp
