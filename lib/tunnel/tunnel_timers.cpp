// What a tunnel does when time passes: time limits, and the Pings of the proxy.
#include <openssl/rand.h>

#include <algorithm>
#include <new>
#include <string_view>

#include "protocol/frame_header.hpp"
#include "tunnel/tunnel.hpp"

namespace wsp {
namespace {

MonotonicUs after(MonotonicUs since, DurationUs span) {
    return span == 0 || since == kNever ? kNever : since + span;
}

}  // namespace

void Tunnel::start_closing(MonotonicUs now) noexcept {
    if (closing_since_ == kNever) {
        closing_since_ = now;
    }
}

MonotonicUs Tunnel::last_byte() const noexcept {
    return std::max(from(Side::client).last_moved(), from(Side::backend).last_moved());
}

MonotonicUs Tunnel::closing_deadline() const noexcept {
    if (closing_since_ == kNever) {
        return kNever;
    }
    // Bytes of the other direction may still arrive, however long that takes. When we have ended the tunnel ourselves
    // we drop them, so they do not extend the time.
    return (ended_by_us_ ? closing_since_ : std::max(closing_since_, last_byte())) +
           policy().close_timeout;
}

MonotonicUs Tunnel::deadline() const noexcept {
    const MonotonicUs idle =
        closing_since_ == kNever ? after(last_byte(), policy().idle_timeout) : kNever;
    MonotonicUs first = std::min({closing_deadline(), idle, ended_by_us_ ? kNever : end_at_});
    for (const Side side : kSides) {
        const MonotonicUs stalls = after(to(side).blocked_since(), policy().send_timeout);
        first = std::min({first, stalls, ping_deadline(side), from(side).resume_at()});
    }
    return first;
}

void Tunnel::on_timer(MonotonicUs now) noexcept {
    now_ = now;
    report_traffic();
    if (closing_deadline() <= now) {
        abort(reason_);
        return;
    }
    for (const Side side : kSides) {
        if (after(to(side).blocked_since(), policy().send_timeout) <= now) {
            lose(side, by_side(side, EndReason::client_stalled, EndReason::backend_stalled));
        }
        on_ping_timer(side, now);
        from(side).resume(now);
    }
    if (end_at_ <= now) {
        end(end_at_reason_, now);
    }
    if (closing_since_ == kNever && after(last_byte(), policy().idle_timeout) <= now) {
        end(EndReason::idle_timeout, now);
    }
    settle(now);
}

void Tunnel::start_pings() noexcept {
    if (policy().ping_interval == 0 || terms_.raw) {
        return;
    }
    std::uint32_t nonces[2];
    if (RAND_bytes(reinterpret_cast<unsigned char*>(nonces), sizeof nonces) == 1) {
        pings_.reset(new (std::nothrow)
                         std::array<PingState, 2>{{PingState(nonces[0]), PingState(nonces[1])}});
    }
    if (!pings_) {
        // Without Pings the tunnel might outlive its peers for ever.
        abort(EndReason::out_of_memory);
    }
}

// When on_ping_timer() has something to do for `side`.
MonotonicUs Tunnel::ping_deadline(Side side) const noexcept {
    const bool pinged = pings_ && (side == Side::client || policy().ping_backend);
    if (!pinged || closing_since_ != kNever || !from(side).wants_read()) {
        return kNever;
    }
    const MonotonicUs last_read = from(side).last_read();
    const MonotonicUs waiting = (*pings_)[index(side)].waiting_since(last_read);
    return waiting != kNever ? waiting + policy().ping_deadline
                             : last_read + policy().ping_interval;
}

void Tunnel::on_ping_timer(Side side, MonotonicUs now) noexcept {
    if (ping_deadline(side) > now) {
        return;
    }
    PingState& ping = (*pings_)[index(side)];
    const MonotonicUs waiting = ping.waiting_since(from(side).last_read());
    if (waiting == kNever) {
        send_ping(side, now);
        return;
    }
    // The Ping may still wait for the end of a frame that the other side is sending. Then the silent side is the other
    // one, or none when its frame goes on. Or the Ping waits behind bytes that this side takes slowly; such a side is
    // alive.
    const bool waits_for_frame = to(side).has_pending() && !to(side).has_held();
    const Side silent = waits_for_frame ? other(side) : side;
    const bool takes = to(side).has_held() && to(side).blocked_since() > waiting;
    if (takes || from(silent).last_read() > waiting) {
        ping.forget();
        send_ping(side, now);
        return;
    }
    lose(silent, by_side(silent, EndReason::client_ping_timeout, EndReason::backend_ping_timeout));
    start_closing(now);
}

void Tunnel::send_ping(Side side, MonotonicUs now) noexcept {
    const PingState::Payload payload = (*pings_)[index(side)].next(now);
    if (to(side).has_pending()) {
        return;  // one Ping at the next boundary is enough
    }
    std::uint8_t frame[kMaxControlFrame];
    MaskingKey key{};
    const bool masked = side == Side::backend;
    if (masked && RAND_bytes(key.data(), static_cast<int>(key.size())) != 1) {
        return;
    }
    const std::string_view bytes(payload.data(), payload.size());
    const std::size_t size =
        write_control_frame(frame, Opcode::ping, bytes, masked ? &key : nullptr);
    if (!to(side).send_frame(frame, size, now)) {
        // No frame boundary will come, so nobody can be asked and nobody is to blame.
        pings_.reset();
    }
}

}  // namespace wsp
