// The clock is clock_gettime(2).
#include "base/clock.hpp"

#include <algorithm>
#include <climits>
#include <ctime>

namespace wsp {

MonotonicUs monotonic_now() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return MonotonicUs{now.tv_sec} * kSecond + now.tv_nsec / 1000;
}

int poll_timeout(DurationUs span) noexcept {
    if (span == kNever) {
        return -1;
    }
    return static_cast<int>(std::min<std::int64_t>(milliseconds_of(span), INT_MAX));
}

}  // namespace wsp
