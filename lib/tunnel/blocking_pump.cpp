// poll(2), advance, repeat.
#include "tunnel/blocking_pump.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "protocol/close_code.hpp"

namespace wsp {
namespace {

// On the stack of a request thread.
constexpr std::size_t kScratchSize = 16 * 1024;

enum Slot { kClient, kBackend, kStop, kSlots };

pollfd slot_for(const Tunnel& tunnel, Side side) {
    const Interest interest = tunnel.interest(side);
    pollfd slot{};
    // A negative descriptor is skipped by poll: a hang-up that nobody wants to see cannot spin the loop.
    slot.fd = interest == kNoInterest ? -1 : tunnel.stream(side).fd();
    slot.events = static_cast<short>(((interest & kReadable) != 0 ? POLLIN : 0) |
                                     ((interest & kWritable) != 0 ? POLLOUT : 0));
    return slot;
}

Interest ready_of(const pollfd& slot) {
    if ((slot.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
        return kReadable | kWritable;
    }
    return static_cast<Interest>(((slot.revents & POLLIN) != 0 ? kReadable : 0) |
                                 ((slot.revents & POLLOUT) != 0 ? kWritable : 0));
}

int timeout_ms(const Tunnel& tunnel, MonotonicUs now) {
    if (tunnel.has_more()) {
        return 0;
    }
    const MonotonicUs deadline = tunnel.deadline();
    if (deadline == kNever) {
        return -1;
    }
    return static_cast<int>(std::clamp<DurationUs>((deadline - now + kMillisecond - 1) / kMillisecond, 0, INT_MAX));
}

}  // namespace

void run_blocking(Tunnel& tunnel, int stop_fd) noexcept {
    std::uint8_t scratch[kScratchSize];
    MonotonicUs now = monotonic_now();
    tunnel.start(now);
    tunnel.advance(kReadable, kReadable, {scratch, sizeof scratch}, now);
    while (!tunnel.done()) {
        pollfd slots[kSlots] = {slot_for(tunnel, Side::client), slot_for(tunnel, Side::backend), {stop_fd, POLLIN, 0}};
        const bool more = tunnel.has_more();
        if (::poll(slots, kSlots, timeout_ms(tunnel, now)) < 0 && errno != EINTR) {
            tunnel.cut(EndReason::internal_error);
            break;
        }
        now = monotonic_now();
        if ((slots[kStop].revents & POLLIN) != 0) {
            stop_fd = -1;
            tunnel.end(EndReason::shutdown, kCloseGoingAway, now);
        }
        const Interest again = more ? kReadable : kNoInterest;
        tunnel.advance(ready_of(slots[kClient]) | again, ready_of(slots[kBackend]) | again, {scratch, sizeof scratch},
                       now);
        if (tunnel.deadline() <= now) {
            tunnel.on_timer(now);
        }
    }
    tunnel.finish_report(now);
}

}  // namespace wsp
