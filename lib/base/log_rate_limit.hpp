// Keeps a repeated log line from filling the log: so many lines are allowed in a window of time, further ones are only
// counted. The caller decides what to do with those that are not allowed. Holds one atomic word and no lock; any thread
// may call; the time is an argument.
//
// Invariant: each call of allow() is reported exactly once. Either the call itself was allowed; or it is counted in
// `left_out` of a later call that was allowed, or in a take_left_out(); or it still waits for one of these. So at any
// time, with n calls of allow():
//
//     n = allowed + reported as left_out + waiting
//
// and at most `most` calls within one window are allowed. A window begins with the first call after the window before
// it has ended. So two neighbouring windows may together allow 2 * most lines within less than the length of one
// window.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.hpp"

namespace wsp {

class LogRateLimit {
  public:
    // How many lines a window allows, and how long a window is.
    static constexpr std::uint32_t kMost = 5;
    static constexpr DurationUs kWindow = 60 * kSecond;

    constexpr explicit LogRateLimit(std::uint32_t most = kMost,
                                    DurationUs window = kWindow) noexcept
        : most_(most), window_s_(static_cast<std::uint32_t>(window / kSecond)) {}

    struct Verdict {
        bool allowed;
        bool is_last;            // the last of its window: further lines in the window are left out
        std::uint32_t left_out;  // calls that were not allowed and have not been reported yet
    };
    Verdict allow(MonotonicUs now) noexcept;

    // Returns how many calls were left out and not reported yet. They count as reported from here on.
    std::uint32_t take_left_out() noexcept;

  private:
    const std::uint32_t most_;
    const std::uint32_t window_s_;
    // The upper half holds the second in which the window began. The lower half holds the number of calls in the
    // window; it stops at its largest value. 0 calls: there is no window.
    std::atomic<std::uint64_t> state_{0};
};

}  // namespace wsp
