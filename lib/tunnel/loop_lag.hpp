// Counts how long a loop works before it looks for new events (Metric::loop_lag). Most rounds are quick. They are put
// together, since a round costs little more than what counting it would.
//
// Belongs to a loop, and to its thread. Nothing here blocks or allocates.
#pragma once

#include "base/clock.hpp"
#include "metrics/series_counters.hpp"

namespace wsp {

class LoopLag {
  public:
    explicit LoopLag(SeriesCounters counters = {}) noexcept : counters_(counters) {}

    // A round begins its work, or ends it and looks for new events.
    void begin(MonotonicUs now) noexcept { begun_at_ = now; }
    void end(MonotonicUs now) noexcept {
        const DurationUs time = now - begun_at_;
        if (begun_at_ == kNever) {
            return;
        }
        if (time > kQuick) {
            counters_.observe(Metric::loop_lag, time);
            tell();
            return;
        }
        quick_sum_ += time;
        if (++quick_ == kMostUntold) {
            tell();
        }
    }
    // From here on the counters have everything.
    void tell() noexcept {
        counters_.observe_some(Metric::loop_lag, 0, quick_, quick_sum_);
        quick_ = 0;
        quick_sum_ = 0;
    }

  private:
    static constexpr DurationUs kQuick = kHistogramBounds[0];
    static constexpr std::uint64_t kMostUntold = 64;

    SeriesCounters counters_;
    MonotonicUs begun_at_ = kNever;
    std::uint64_t quick_ = 0;  // rounds in the first bucket that nobody has been told of
    DurationUs quick_sum_ = 0;
};

}  // namespace wsp
