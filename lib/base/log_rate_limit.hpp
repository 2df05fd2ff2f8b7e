// Keeps a line that comes again and again from filling the log: so many a window, the others are counted. The caller decides
// what becomes of those. Pure but for one atomic word: lock-free, any thread; time is passed in.
//
// Invariant: each allow() is told of exactly once. It was let through itself; or it is in the left_out of a later one that
// was, or of a take_left_out(); or it still waits for one of these. So at any time, with n calls of allow():
//     n = let through + told as left_out + waiting
// and of the calls within one window at most `most` are let through. A window begins with the first call behind the one
// before, so that two neighbouring ones may let 2 * most through within less than one window's length.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.hpp"

namespace wsp {

class LogRateLimit {
  public:
    // Lines let through in a window, and how long that is.
    static constexpr std::uint32_t kMost = 5;
    static constexpr DurationUs kWindow = 60 * kSecond;

    constexpr explicit LogRateLimit(std::uint32_t most = kMost,
                                    DurationUs window = kWindow) noexcept
        : most_(most), window_s_(static_cast<std::uint32_t>(window / kSecond)) {}

    struct Verdict {
        bool allowed;
        bool is_last;            // of the window: what follows within it is left out
        std::uint32_t left_out;  // calls that were not let through and have not been told of yet
    };
    Verdict allow(MonotonicUs now) noexcept;

    // What was left out and not told of yet; it is, from here on.
    std::uint32_t take_left_out() noexcept;

  private:
    const std::uint32_t most_;
    const std::uint32_t window_s_;
    // The window's first second in the upper half; the calls in it, up to the largest number there, in the lower. None: no
    // window.
    std::atomic<std::uint64_t> state_{0};
};

}  // namespace wsp
