// A group of tunnels that can be ended together, for example those to one backend. The owner of a group ends it, and
// keeps it longer than its tunnels live. Each tunnel has a subscription in its terms. Loops look at the subscriptions
// of their tunnels when they are told to (TunnelLoop::check_groups).
#pragma once

#include <atomic>
#include <utility>

#include "base/clock.hpp"
#include "tunnel/close_plan.hpp"
#include "tunnel/report.hpp"

namespace wsp {

class TunnelGroup {
  public:
    // A value. Used by one thread at a time.
    class Subscription {
      public:
        Subscription() = default;  // subscribes to no group
        explicit Subscription(const TunnelGroup& group) noexcept
            : group_(&group), seen_(group.times_drained()) {}

        // Whether it subscribes to a group.
        bool exists() const noexcept { return group_ != nullptr; }
        // True when the group has been drained since the subscription was made, or since this function last returned
        // true.
        bool is_drained() noexcept {
            if (group_ == nullptr) {
                return false;
            }
            const unsigned times = group_->times_drained();
            return times != std::exchange(seen_, times);
        }
        // How the group was drained last.
        ClosePlan plan() const noexcept { return group_->plan(); }

      private:
        const TunnelGroup* group_ = nullptr;
        unsigned seen_ = 0;
    };

    // Any thread. A tunnel that subscribed before drain() ends with it; one that subscribes afterwards does not.
    Subscription subscribe() const noexcept { return Subscription(*this); }

    // Decides how the tunnels end: each at its own moment between now and `spread` later. Called by one thread at a
    // time.
    void drain(EndReason reason, MonotonicUs now, DurationUs spread) noexcept {
        reason_.store(reason);
        since_.store(now);
        spread_.store(spread);
        times_drained_.fetch_add(1, std::memory_order_release);
    }

  private:
    unsigned times_drained() const noexcept {
        return times_drained_.load(std::memory_order_acquire);
    }
    ClosePlan plan() const noexcept {
        const MonotonicUs since = since_.load();
        return {reason_.load(), since, since + spread_.load(), kNever};
    }

    // This and the next two are stored before times_drained_.
    std::atomic<EndReason> reason_{EndReason::none};
    std::atomic<MonotonicUs> since_{0};
    std::atomic<DurationUs> spread_{0};
    std::atomic<unsigned> times_drained_{0};
};

}  // namespace wsp
