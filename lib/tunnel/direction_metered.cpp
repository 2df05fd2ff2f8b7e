// How a direction limits the rate of messages (ProxyWebsocketMessageRate): messages that come too fast are delayed.
#include <algorithm>
#include <utility>

#include "protocol/frame_header.hpp"
#include "tunnel/direction.hpp"

namespace wsp {

// Relays frame by frame. Each message costs a token. What comes when there is no token is delayed.
void Direction::relay_metered(const std::uint8_t* data, std::size_t size,
                              MonotonicUs now) noexcept {
    while (size > 0 && flow_ == Flow::relaying) {
        if (!meter_->has_token(now)) {
            delay(data, size, now);
            return;
        }
        const std::size_t piece = end_of_frame(data, size);
        const std::uint64_t messages = scanner_.messages();
        relay_frames(data, piece, now);
        if (scanner_.messages() > messages) {
            meter_->spend();
        }
        data += piece;
        size -= piece;
    }
    if (flow_ == Flow::muted) {
        relay_frames(data, size, now);  // after a Close of our own, messages cost nothing
    }
}

// How much of `data` belongs to the current frame, or to the frame that begins there.
std::size_t Direction::end_of_frame(const std::uint8_t* data, std::size_t size) const noexcept {
    std::uint64_t end = scanner_.payload_left();
    FrameHeader header;
    if (end == 0) {
        if (!parse_frame_header(data, size, header)) {
            return size;
        }
        end = header.length > size ? size : header.size + header.length;
    }
    return static_cast<std::size_t>(std::min<std::uint64_t>(end, size));
}

void Direction::delay(const std::uint8_t* data, std::size_t size, MonotonicUs now) noexcept {
    if (messages_in(data, size) > meter_->max_delayed()) {
        refuse_source(Violation::message_rate);
        return;
    }
    out_of_memory_ = out_of_memory_ || !meter_->delayed.append(data, size);
    meter_->resume_at = meter_->next_token_at(now);
}

std::uint64_t Direction::messages_in(const std::uint8_t* data, std::size_t size) const noexcept {
    FrameScanner ahead = scanner_;
    FrameScanner::Control control;
    for (std::size_t at = 0;;) {
        const FrameScanner::Result seen = ahead.scan(data + at, size - at, false, control);
        if (seen.stop != FrameScanner::Stop::control) {
            return ahead.messages() - scanner_.messages();
        }
        at += seen.ready + control.size;
    }
}

void Direction::resume(MonotonicUs now) noexcept {
    if (is_paused() && meter_->resume_at <= now) {
        relay_delayed(now);
        last_read_ = is_paused() ? last_read_ : now;
    }
}

void Direction::relay_delayed(MonotonicUs now) noexcept {
    const HeldBytes delayed = std::move(meter_->delayed);
    meter_->delayed.clear();
    relay(delayed.data(), delayed.size(), now);
}

}  // namespace wsp
