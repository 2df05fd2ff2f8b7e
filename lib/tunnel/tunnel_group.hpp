// Tunnels that may be ended together, such as those that lead to one backend. Whoever ends a group owns it, and keeps it for
// longer than its tunnels live; each tunnel has a subscription among its terms. Loops look at those when they are told to
// (TunnelLoop::check_groups).
#pragma once

#include <atomic>
#include <utility>

#include "base/clock.hpp"
#include "tunnel/close_plan.hpp"
#include "tunnel/report.hpp"

namespace wsp {

class TunnelGroup {
  public:
    // A value; one thread at a time.
    class Subscription {
      public:
        Subscription() = default;  // to no group
        explicit Subscription(const TunnelGroup& group) noexcept
            : group_(&group), seen_(group.times_drained()) {}

        // The group has been drained since subscribing, or since this was true last.
        bool is_drained() noexcept {
            if (group_ == nullptr) {
                return false;
            }
            const unsigned times = group_->times_drained();
            return times != std::exchange(seen_, times);
        }
        // How, the last time.
        ClosePlan plan() const noexcept { return group_->plan(); }

      private:
        const TunnelGroup* group_ = nullptr;
        unsigned seen_ = 0;
    };

    // Any thread. A tunnel that subscribes before drain() ends with it, one that subscribes afterwards does not.
    Subscription subscribe() const noexcept { return Subscription(*this); }

    // Fixes how the tunnels end: each at a moment of its own between now and `spread` later. One thread at a time.
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

    std::atomic<EndReason> reason_{EndReason::none};  // this and the next two before times_drained_
    std::atomic<MonotonicUs> since_{0};
    std::atomic<DurationUs> spread_{0};
    std::atomic<unsigned> times_drained_{0};
};

}  // namespace wsp
