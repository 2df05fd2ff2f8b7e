// The monotonic clock and the two types for time. Functions take the time as an argument, so that tests can choose it.
#pragma once

#include <cstdint>
#include <limits>

namespace wsp {

// A point in time on CLOCK_MONOTONIC, in microseconds. It cannot be compared with the wall clock.
using MonotonicUs = std::int64_t;
// A span of time in microseconds. In a policy, 0 means "no limit".
using DurationUs = std::int64_t;

constexpr DurationUs kMillisecond = 1000;
constexpr DurationUs kSecond = 1000 * kMillisecond;
constexpr MonotonicUs kNever = std::numeric_limits<MonotonicUs>::max();

MonotonicUs monotonic_now() noexcept;

// Milliseconds, rounded up: after waiting that long the span is over, and only an empty span is 0. A negative one is 0
// as well. This is the only conversion from microseconds to milliseconds, for waiting and for log lines.
constexpr std::int64_t milliseconds_of(DurationUs span) noexcept {
    return span > 0 ? (span - 1) / kMillisecond + 1 : 0;
}

// The timeout argument of poll(2) and epoll_wait(2) for a wait of `span`: -1, which is for ever, for kNever.
int poll_timeout(DurationUs span) noexcept;

// The same for a wait from `now` until `until`, which may be kNever.
inline int poll_timeout_until(MonotonicUs until, MonotonicUs now) noexcept {
    return poll_timeout(until == kNever ? kNever : until - now);
}

}  // namespace wsp
