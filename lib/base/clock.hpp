// The monotonic clock and the two time types. Time is passed to whatever needs it, so that tests
// can invent it.
#pragma once

#include <cstdint>
#include <limits>

namespace wsp {

// A point on CLOCK_MONOTONIC, in microseconds. Not comparable with the wall clock.
using MonotonicUs = std::int64_t;
// A span in microseconds. In a policy 0 means "no limit".
using DurationUs = std::int64_t;

constexpr DurationUs kMillisecond = 1000;
constexpr DurationUs kSecond = 1000 * kMillisecond;
constexpr MonotonicUs kNever = std::numeric_limits<MonotonicUs>::max();

MonotonicUs monotonic_now() noexcept;

}  // namespace wsp
