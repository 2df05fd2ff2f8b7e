// The way of a byte: source, scratch memory, scanner, sink. Bytes that the sink does not take are held.
#include "tunnel/direction.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace wsp {
namespace {

ScanRules rules_for(Side from, const TunnelTerms& terms) {
    const Policy& policy = *terms.policy;
    ScanRules rules;
    rules.sender = from;
    rules.validate = policy.validate;
    rules.allowed_rsv = terms.allowed_rsv;
    rules.max_message =
        from == Side::client ? policy.max_message_from_client : policy.max_message_from_backend;
    return rules;
}

}  // namespace

Direction::Direction(Stream& source, Stream& sink, Side from, const TunnelTerms& terms,
                     ControlListener& listener) noexcept
    : source_(&source),
      sink_(&sink),
      terms_(terms),
      listener_(listener),
      scanner_(rules_for(from, terms)),
      from_(from) {}

void Direction::start(const std::uint8_t* data, std::size_t size, MonotonicUs now) noexcept {
    last_read_ = now;
    if (from_ == Side::client && policy().message_rate > 0 && !terms_.raw) {
        meter_.reset(new (std::nothrow)
                         MessageMeter(policy().message_rate, policy().message_burst, now));
        out_of_memory_ = meter_ == nullptr;
    }
    if (size > 0) {
        relay(data, size, now);
    }
}

void Direction::advance(bool source_ready, Scratch scratch, int max_reads,
                        MonotonicUs now) noexcept {
    read_limit_reached_ = false;
    flush_held(now);
    if (!source_ready && !source_->has_buffered_input()) {
        return;
    }
    while (wants_read() && read_once(scratch, now)) {
        if (--max_reads <= 0) {
            read_limit_reached_ = true;
            return;
        }
    }
}

bool Direction::wants_read() const noexcept {
    switch (flow_) {
        case Flow::relaying:
            return held_.empty() && !is_paused();
        case Flow::muted:
        case Flow::discarding:
            return true;
        case Flow::stopped:
            break;
    }
    return false;
}

void Direction::flush_held(MonotonicUs now) noexcept {
    if (held_.empty()) {
        return;
    }
    const std::size_t written = write_now(held_.data(), held_.size());
    if (sink_state_ == Sink::lost) {
        return;
    }
    if (written > 0) {
        blocked_since_ = now;
        held_.consume(written);
        last_read_ = held_.empty() ? now : last_read_;
        held_messages_ = held_.empty() ? 0 : held_messages_;
    }
    send_fin_when_empty();
}

// Reads once and relays the bytes. Returns true when another read is likely to find more.
bool Direction::read_once(Scratch scratch, MonotonicUs now) noexcept {
    const std::size_t carried = aside_ ? aside_->carry.size() : 0;
    const std::size_t room = std::min(scratch.size - carried, policy().buffer_size);
    const IoResult got = source_->read_some(scratch.data + carried, room);
    if (got.status == IoStatus::would_block) {
        return false;
    }
    if (got.status != IoStatus::ok) {
        source_ended(got);
        return false;
    }
    if (flow_ == Flow::relaying && sink_state_ == Sink::open) {
        last_read_ = now;
    }
    if (carried > 0) {
        std::memcpy(scratch.data, aside_->carry.data(), carried);
        drop_carry();
    }
    relay(scratch.data, carried + got.size, now);
    return got.size == room || source_->has_buffered_input();
}

void Direction::relay(const std::uint8_t* data, std::size_t size, MonotonicUs now) noexcept {
    if (flow_ == Flow::discarding) {
        return;
    }
    if (terms_.raw) {
        forward(data, size, now);
        return;
    }
    if (meter_ && flow_ == Flow::relaying) {
        relay_metered(data, size, now);
        return;
    }
    relay_frames(data, size, now);
}

void Direction::relay_frames(const std::uint8_t* data, std::size_t size, MonotonicUs now) noexcept {
    FrameScanner::Control control;
    std::size_t from = 0;  // [from, at) has passed the scanner and is not forwarded yet
    std::size_t at = 0;
    std::uint64_t told = scanner_.messages();
    const auto forward_passed = [&] {
        forward(data + from, at - from, now, scanner_.messages() - told);
        told = scanner_.messages();
    };
    for (;;) {
        const FrameScanner::Result seen =
            scanner_.scan(data + at, size - at, has_pending(), control);
        at += seen.ready;
        if (seen.stop == FrameScanner::Stop::control) {
            if (listener_.on_control(from_, control)) {
                at += control.size;
                close_passed_ = close_passed_ || control.opcode == Opcode::close;
            } else {
                forward_passed();
                at += control.size;
                from = at;
            }
            continue;
        }
        forward_passed();
        from = at;
        if (seen.stop == FrameScanner::Stop::boundary) {
            send_pending(now);
            continue;
        }
        if (seen.stop == FrameScanner::Stop::error) {
            refuse_source(seen.error);
        } else if (!set_aside(&Aside::carry, data + at, size - at)) {
            out_of_memory_ = true;
        }
        return;
    }
}

// Forwards bytes of the source, unless the flow drops them. `messages` is how many messages end in `data`.
void Direction::forward(const std::uint8_t* data, std::size_t size, MonotonicUs now,
                        std::uint64_t messages) noexcept {
    if (flow_ == Flow::relaying) {
        write(data, size, now, messages);
    } else {
        dropped_messages_ += messages;
    }
}

// Writes to the sink what it takes now, and holds the rest.
void Direction::write(const std::uint8_t* data, std::size_t size, MonotonicUs now,
                      std::uint64_t messages) noexcept {
    if (size == 0 || sink_state_ != Sink::open) {
        dropped_messages_ += messages;
        return;
    }
    const std::size_t written = held_.empty() ? write_now(data, size) : 0;
    if (written == size) {
        return;
    }
    if (sink_state_ == Sink::lost) {
        dropped_messages_ += messages;
        return;
    }
    if (held_.empty()) {
        blocked_since_ = now;
    }
    held_messages_ += messages;
    if (!held_.append(data + written, size - written)) {
        out_of_memory_ = true;
    }
}

std::size_t Direction::write_now(const std::uint8_t* data, std::size_t size) noexcept {
    std::size_t written = 0;
    while (written < size) {
        const IoResult put = sink_->write_some(data + written, size - written);
        if (put.status == IoStatus::would_block) {
            break;
        }
        if (put.status != IoStatus::ok) {
            sink_error_ = put.error;
            lose_sink();
            break;
        }
        written += put.size;
    }
    return written;
}

bool Direction::send_frame(const std::uint8_t* frame, std::size_t size, MonotonicUs now) noexcept {
    if (terms_.raw || truncated_ || sink_state_ != Sink::open || close_passed_ ||
        mute_after_pending_ || scanner_.lost()) {
        return false;
    }
    if (!scanner_.at_boundary()) {
        return flow_ == Flow::relaying && set_aside(&Aside::pending, frame, size);
    }
    // Between two frames there is room for ours, also when the flow drops the frames of the source.
    write(frame, size, now);
    return sink_state_ != Sink::lost;
}

bool Direction::send_close(const std::uint8_t* frame, std::size_t size, MonotonicUs now) noexcept {
    const bool waits = !scanner_.at_boundary();
    if (!send_frame(frame, size, now)) {
        return false;
    }
    if (waits) {
        mute_after_pending_ = true;
        return true;
    }
    close_passed_ = true;
    const bool was_relaying = flow_ == Flow::relaying;
    enter(Flow::muted);
    if (was_relaying && meter_ && !meter_->delayed.empty()) {
        relay_delayed(now);  // they may contain a Close of the source
    }
    return true;
}

void Direction::send_pending(MonotonicUs now) noexcept {
    forward(aside_->pending.data(), aside_->pending.size(), now);
    aside_->pending.clear();
    if (mute_after_pending_) {
        mute_after_pending_ = false;
        close_passed_ = true;
        enter(Flow::muted);
    }
}

bool Direction::set_aside(HeldBytes Aside::*where, const std::uint8_t* data,
                          std::size_t size) noexcept {
    if (size == 0) {
        return true;
    }
    if (!aside_) {
        aside_.reset(new (std::nothrow) Aside);
    }
    return aside_ && ((*aside_).*where).append(data, size);
}

// Frees the memory, unless frames of our own wait in it.
void Direction::drop_carry() noexcept {
    if (has_pending()) {
        aside_->carry.clear();
    } else {
        aside_.reset();
    }
}

}  // namespace wsp
