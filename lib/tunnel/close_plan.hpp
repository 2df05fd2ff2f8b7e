// How to end the tunnels of a child: all at once, or each at its own moment in a span of time, so that their clients do
// not all reconnect in the same second. Values only; any thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"
#include "tunnel/report.hpp"

namespace wsp {

struct ClosePlan {
    EndReason reason = EndReason::shutdown;
    MonotonicUs first = 0;  // the span of time in which Closes are sent
    MonotonicUs last = 0;
    MonotonicUs abort_at = kNever;  // tunnels that have not ended by then are aborted

    static ClosePlan at_once(EndReason reason, MonotonicUs now, DurationUs patience) {
        return {reason, now, now, now + patience};
    }
    // How long an ending process waits for tunnels that it ends at once. The parent process of httpd kills a child
    // after 3 seconds or more (server/mpm_unix.c ap_reclaim_child_processes).
    static constexpr DurationUs kStopPatience = kSecond;
    static ClosePlan stop(MonotonicUs now) {
        return at_once(EndReason::shutdown, now, kStopPatience);
    }
    // Sends the Closes in the last `spread` of `timeout`, and aborts what is left `patience` after that.
    static ClosePlan drain(MonotonicUs now, DurationUs timeout, DurationUs spread,
                           DurationUs patience) {
        const MonotonicUs last = now + timeout;
        return {EndReason::drain, std::max(now, last - spread), last, last + patience};
    }

    // The moment for one tunnel. `random` is evenly distributed over all values.
    MonotonicUs moment(std::uint32_t random, MonotonicUs now) const {
        const MonotonicUs from = std::max(first, now);
        const double share = static_cast<double>(random) / 4294967296.0;
        return from + static_cast<DurationUs>(
                          share * static_cast<double>(std::max<DurationUs>(0, last - from)));
    }
};

}  // namespace wsp
