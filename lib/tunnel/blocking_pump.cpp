// poll(2), advance, repeat.
#include "tunnel/blocking_pump.hpp"

#include <openssl/rand.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "protocol/close_code.hpp"

namespace wsp {
namespace {

// On the stack of a request thread.
constexpr std::size_t kScratchSize = 16 * 1024;

enum Slot { kClient, kBackend, kDrain, kStop, kSlots };

pollfd slot_for(const Tunnel& tunnel, Side side) {
    const Interest interest = tunnel.interest(side);
    pollfd slot{};
    // A negative descriptor is skipped by poll: a hang-up that nobody wants to see cannot spin the
    // loop.
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

constexpr DurationUs kGroupLook = kSecond;

int timeout_ms(const Tunnel& tunnel, MonotonicUs cut_at, MonotonicUs now) {
    if (tunnel.has_more()) {
        return 0;
    }
    const MonotonicUs deadline = std::min(tunnel.deadline(), cut_at);
    if (deadline == kNever) {
        return -1;
    }
    return static_cast<int>(
        std::clamp<DurationUs>((deadline - now + kMillisecond - 1) / kMillisecond, 0, INT_MAX));
}

std::uint32_t random_word() {
    std::uint32_t word = 0;
    RAND_bytes(reinterpret_cast<unsigned char*>(&word), sizeof word);
    return word;
}

// Follows what the stop signals say. Returns when the tunnel must be cut.
MonotonicUs heed(Tunnel& tunnel, StopSignals& stop, const pollfd* slots, MonotonicUs cut_at,
                 MonotonicUs now) {
    if ((slots[kDrain].revents & POLLIN) != 0) {
        const ClosePlan plan = stop.drain_plan(now);
        stop.drain_fd = -1;
        tunnel.end_at(plan.moment(random_word(), now), plan.reason);
        cut_at = std::min(cut_at, plan.cut);
    }
    if ((slots[kStop].revents & POLLIN) != 0) {
        stop.stop_fd = -1;
        tunnel.end(EndReason::shutdown, now);
        cut_at = std::min(cut_at, now + ClosePlan::kStopPatience);
    }
    return cut_at;
}

void heed_group(Tunnel& tunnel, GroupWatch& group, MonotonicUs now) {
    ClosePlan plan;
    if (group.ended(plan)) {
        tunnel.end_at(plan.moment(random_word(), now), plan.reason);
    }
}

}  // namespace

void run_blocking(Tunnel& tunnel, StopSignals stop) noexcept {
    MonotonicUs cut_at = kNever;
    std::uint8_t scratch[kScratchSize];
    MonotonicUs now = monotonic_now();
    MonotonicUs look_at = stop.group != nullptr ? now + kGroupLook : kNever;
    tunnel.start(now);
    tunnel.advance(kReadable, kReadable, {scratch, sizeof scratch}, now);
    while (!tunnel.done()) {
        pollfd slots[kSlots] = {slot_for(tunnel, Side::client),
                                slot_for(tunnel, Side::backend),
                                {stop.drain_fd, POLLIN, 0},
                                {stop.stop_fd, POLLIN, 0}};
        const bool more = tunnel.has_more();
        if (::poll(slots, kSlots, timeout_ms(tunnel, std::min(cut_at, look_at), now)) < 0 &&
            errno != EINTR) {
            tunnel.cut(EndReason::internal_error);
            break;
        }
        now = monotonic_now();
        cut_at = heed(tunnel, stop, slots, cut_at, now);
        if (look_at <= now) {
            heed_group(tunnel, *stop.group, now);
            look_at = now + kGroupLook;
        }
        const Interest again = more ? kReadable : kNoInterest;
        tunnel.advance(ready_of(slots[kClient]) | again, ready_of(slots[kBackend]) | again,
                       {scratch, sizeof scratch}, now);
        if (tunnel.deadline() <= now) {
            tunnel.on_timer(now);
        }
        if (cut_at <= now) {
            tunnel.cut(EndReason::shutdown);
        }
    }
    tunnel.finish_report(now);
}

}  // namespace wsp
