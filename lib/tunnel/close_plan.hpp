// How a child's tunnels are brought to their end: at once, or each at a moment of its own in a span
// of time, so that their clients do not all reconnect in the same second. Values only; any thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"
#include "tunnel/report.hpp"

namespace wsp {

struct ClosePlan {
    EndReason reason = EndReason::shutdown;
    MonotonicUs first = 0;  // the span in which Closes are sent
    MonotonicUs last = 0;
    MonotonicUs abort_at = kNever;  // what has not ended by then is cut

    static ClosePlan at_once(EndReason reason, MonotonicUs now, DurationUs patience) {
        return {reason, now, now, now + patience};
    }
    // What an ending process gives tunnels that it ends at once; httpd's parent kills a child after
    // 3 seconds and more (server/mpm_unix.c ap_reclaim_child_processes).
    static constexpr DurationUs kStopPatience = kSecond;
    static ClosePlan stop(MonotonicUs now) {
        return at_once(EndReason::shutdown, now, kStopPatience);
    }
    // Closes spread over the last `spread` of `timeout`, and `patience` for the last of them.
    static ClosePlan drain(MonotonicUs now, DurationUs timeout, DurationUs spread,
                           DurationUs patience) {
        const MonotonicUs last = now + timeout;
        return {EndReason::drain, std::max(now, last - spread), last, last + patience};
    }

    // One tunnel's moment; `random` is evenly distributed over all values.
    MonotonicUs moment(std::uint32_t random, MonotonicUs now) const {
        const MonotonicUs from = std::max(first, now);
        const double share = static_cast<double>(random) / 4294967296.0;
        return from + static_cast<DurationUs>(
                          share * static_cast<double>(std::max<DurationUs>(0, last - from)));
    }
};

}  // namespace wsp
