// How a tunnel passes bytes on, and in which order it ends.
#include "tunnel/tunnel.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <new>
#include <string_view>
#include <utility>

#include "protocol/close_code.hpp"
#include "protocol/frame_header.hpp"

namespace wsp {
namespace {

// How often a direction reads per wake-up. After that the other tunnels come first.
constexpr int kMaxReads = 16;

}  // namespace

Tunnel::Tunnel(TunnelParts parts)
    : streams_{{std::move(parts.client), std::move(parts.backend)}},
      terms_(std::move(parts.terms)),
      observer_(std::move(parts.observer)),
      directions_{Direction(*streams_[0], *streams_[1], Side::client, terms_, *this),
                  Direction(*streams_[1], *streams_[0], Side::backend, terms_, *this)} {
    if (!parts.early_from_client.empty() || !parts.early_from_backend.empty()) {
        early_ = std::make_unique<std::array<std::string, 2>>();
        (*early_)[index(Side::client)] = std::move(parts.early_from_client);
        (*early_)[index(Side::backend)] = std::move(parts.early_from_backend);
    }
}

void Tunnel::start(MonotonicUs now) noexcept {
    started_ = now_ = now;
    if (terms_.lifetime.span > 0) {
        end_at(now + terms_.lifetime.span, terms_.lifetime.reason);
    }
    start_pings();
    awaits_successors_ = streams_[0]->awaits_successor() || streams_[1]->awaits_successor();
    for (const Side side : kSides) {
        const std::string_view early = early_ ? (*early_)[index(side)] : std::string_view();
        from(side).start(reinterpret_cast<const std::uint8_t*>(early.data()), early.size(), now);
    }
    early_.reset();
    settle(now);
}

void Tunnel::advance(Interest client_ready, Interest backend_ready, Scratch scratch,
                     MonotonicUs now) noexcept {
    now_ = now;
    const Interest ready[] = {client_ready, backend_ready};
    for (const Side side : kSides) {
        const bool readable = (ready[index(side)] & stream(side).interest_to_read()) != 0;
        from(side).advance(readable, scratch, kMaxReads, now);
    }
    settle(now);
    report_traffic_from(TunnelObserver::kTrafficStep);
}

void Tunnel::take_successors(RecordWorkspace& workspace) noexcept {
    for (std::unique_ptr<Stream>& stream : streams_) {
        if (std::unique_ptr<Stream> successor = stream->successor(workspace)) {
            stream = std::move(successor);
        }
    }
    from(Side::client).replace_streams(*streams_[0], *streams_[1]);
    from(Side::backend).replace_streams(*streams_[1], *streams_[0]);
    awaits_successors_ = streams_[0]->awaits_successor() || streams_[1]->awaits_successor();
}

// Not before so many bytes of the backend have passed.
void Tunnel::report_traffic_from(std::uint64_t step) noexcept {
    if (!observer_) {
        return;
    }
    const Stream& backend = stream(Side::backend);
    const std::uint64_t moved = backend.wire_bytes_read() + backend.wire_bytes_written();
    if (reported_.missing(moved) >= step) {
        report_traffic();
    }
}

void Tunnel::report_traffic() noexcept {
    const Traffic more = reported_.take(traffic());
    if (observer_ && !more.is_nothing()) {
        observer_->on_traffic(more);
    }
}

Traffic Tunnel::traffic() const noexcept {
    const Stream& client = stream(Side::client);
    const Stream& backend = stream(Side::backend);
    return {from(Side::client).delivered_messages(),
            from(Side::backend).delivered_messages(),
            client.wire_bytes_read(),
            client.wire_bytes_written(),
            backend.wire_bytes_read(),
            backend.wire_bytes_written()};
}

Interest Tunnel::interest(Side side) const noexcept {
    const Stream& s = stream(side);
    const Interest read = from(side).wants_read() ? s.interest_to_read() : kNoInterest;
    const Interest write = to(side).wants_write() ? s.interest_to_write() : kNoInterest;
    return static_cast<Interest>(read | write);
}

bool Tunnel::done() const noexcept {
    if (aborted_) {
        return true;
    }
    return std::all_of(std::begin(kSides), std::end(kSides), [this](Side side) {
        const Direction::Sink sink = to(side).sink_state();
        return from(side).source_state() != Direction::Source::open &&
               (sink == Direction::Sink::finished || sink == Direction::Sink::lost);
    });
}

// --- events ---------------------------------------------------------------------------------

bool Tunnel::on_control(Side side, const FrameScanner::Control& control) noexcept {
    const std::string_view payload(reinterpret_cast<const char*>(control.payload),
                                   control.payload_size);
    if (control.opcode == Opcode::close) {
        note_end(by_side(side, EndReason::client_close, EndReason::backend_close),
                 from(side).scanner().close_code(),
                 payload.substr(std::min<std::size_t>(payload.size(), 2)));
    }
    if (control.opcode == Opcode::pong && pings_) {
        return !is_for_us(side, payload);
    }
    return true;
}

// Whether a Pong answers one of our Pings.
bool Tunnel::is_for_us(Side side, std::string_view payload) noexcept {
    PingState& ping = (*pings_)[index(side)];
    const bool waits = ping.is_waiting();
    const bool is_ours = ping.is_ours(payload, now_);
    if (waits && !ping.is_waiting() && side == Side::client && observer_) {
        observer_->on_pong(ping.round_trip());
    }
    return is_ours;
}

void Tunnel::end(EndReason reason, MonotonicUs now) noexcept {
    if (ended_by_us_) {
        return;
    }
    const bool has_own = reason == EndReason::closed_by_operator && own_close_;
    const std::uint16_t code = has_own ? own_close_->code_ : policy().close_code(reason);
    const std::string_view text = has_own ? own_close_->reason_.text() : close_reason_of(reason);
    ended_by_us_ = true;
    note_end(reason, code);
    closing_since_ = now;
    for (const Side side : kSides) {
        if (!is_closing(side) && !send_close(side, code, text, now)) {
            to(side).finish();
        }
    }
    settle(now);
}

void Tunnel::end_at(MonotonicUs at, EndReason reason) noexcept {
    if (at < end_at_) {
        end_at_ = at;
        end_at_reason_ = reason;
    }
}

void Tunnel::abort(EndReason reason) noexcept {
    note_end(reason, kCloseAbnormal);
    aborted_ = true;
}

void Tunnel::note_end(EndReason reason, std::uint16_t close_code, std::string_view text) noexcept {
    if (reason_ == EndReason::none) {
        reason_ = reason;
        close_code_ = close_code;
        if (!text.empty()) {  // without memory the log has no text
            close_reason_.reset(new (std::nothrow) CloseReason(text));
        }
    }
}

bool Tunnel::send_close(Side side, std::uint16_t code, std::string_view text,
                        MonotonicUs now) noexcept {
    std::uint8_t frame[kMaxControlFrame];
    MaskingKey key{};
    const bool masked = side == Side::backend;  // we are the backend's client (RFC 6455 5.1)
    if (masked && RAND_bytes(key.data(), static_cast<int>(key.size())) != 1) {
        return false;
    }
    const std::size_t size = write_close_frame(frame, code, text, masked ? &key : nullptr);
    return to(side).send_close(frame, size, now);
}

// --- what follows from an event ---------------------------------------------------------------

void Tunnel::settle(MonotonicUs now) noexcept {
    for (const Side side : kSides) {
        settle_violation(side, now);
        settle_lost(side, now);
    }
    for (const Side side : kSides) {
        settle_eof(side, now);
        if (from(side).scanner().close_seen() && acts_on_closes()) {
            start_closing(now);
        }
        if (from(side).out_of_memory()) {
            abort(EndReason::out_of_memory);
        }
    }
    if (acts_on_closes()) {
        settle_closes();
    }
    for (const Side side : kSides) {
        if (can_stop_reading(side)) {
            from(side).end_source();
            settle_eof(side, now);
        }
    }
}

// With Validate::off a Close has no meaning for the proxy, and the peers end TCP when they like. That changes once the
// proxy has sent a Close of its own.
bool Tunnel::acts_on_closes() const noexcept {
    return !terms_.raw && (policy().validate != Validate::off || ended_by_us_);
}

void Tunnel::settle_violation(Side side, MonotonicUs now) noexcept {
    const Violation error = from(side).violation();
    if (error == Violation::none || ended_by_us_) {
        return;
    }
    ended_by_us_ = true;
    note_end(by_side(side, EndReason::client_violation, EndReason::backend_violation),
             close_code_of(error));
    start_closing(now);
    send_close(side, close_code_of(error), close_reason_of(error), now);
    if (to(side).scanner().close_seen() ||
        !send_close(other(side), kCloseGoingAway, "the other side broke a rule", now)) {
        from(side).finish();
    }
}

void Tunnel::settle_lost(Side side, MonotonicUs now) noexcept {
    if (from(side).source_state() != Direction::Source::lost &&
        to(side).sink_state() != Direction::Sink::lost) {
        return;
    }
    // A connection that breaks after a Close is no fault, so its errno is not reported.
    if (reason_ == EndReason::none) {
        os_error_ =
            from(side).source_error() != 0 ? from(side).source_error() : to(side).sink_error();
    }
    lose(side, by_side(side, EndReason::client_lost, EndReason::backend_lost));
    start_closing(now);
}

void Tunnel::lose(Side side, EndReason reason) noexcept {
    note_end(reason, kCloseAbnormal);
    from(side).lose_source();
    to(side).lose_sink();
}

void Tunnel::settle_eof(Side side, MonotonicUs now) noexcept {
    if (from(side).source_state() == Direction::Source::open) {
        return;
    }
    note_end(by_side(side, EndReason::client_eof, EndReason::backend_eof), kCloseAbnormal);
    if (acts_on_closes()) {
        start_closing(now);
    }
    if (!policy().half_close) {
        to(side).lose_sink();
    }
    // RFC 6455 7.1.1: after the closing handshake the server ends TCP first. Here the backend is the server.
    const bool backend_goes_first = side == Side::client && acts_on_closes() &&
                                    closes_exchanged_with(Side::backend) &&
                                    from(Side::backend).source_state() == Direction::Source::open;
    if (!backend_goes_first && !awaits_close_reply(other(side))) {
        from(side).finish();
    }
}

// We have sent a Close to `side`, and its reply may still come. With FIN right after our Close, clients such as
// Python's websockets would end before they have replied, and report an error.
bool Tunnel::awaits_close_reply(Side side) const noexcept {
    return ended_by_us_ && to(side).close_passed() && !from(side).scanner().close_seen() &&
           from(side).source_state() == Direction::Source::open &&
           from(side).violation() == Violation::none;
}

// True when `side` has received a Close, or has sent one, which only the other side can answer.
bool Tunnel::is_closing(Side side) const noexcept {
    return to(side).close_passed() || from(side).scanner().close_seen();
}

void Tunnel::settle_closes() noexcept {
    // RFC 6455 7.1.1: we are the client's server.
    if (closes_exchanged_with(Side::client)) {
        to(Side::client).finish();
    }
    // The bytes of a side that broke a rule are dropped unseen. So its reply to our Close would not be noticed, and we
    // do not wait for it.
    for (const Side side : kSides) {
        if (from(side).violation() != Violation::none && to(side).close_passed()) {
            to(side).finish();
        }
    }
}

// True when `side` has received everything that it will receive, and nobody needs what it may still send.
bool Tunnel::can_stop_reading(Side side) const noexcept {
    return stream(side).ends_at_once() && from(side).source_state() == Direction::Source::open &&
           to(side).sink_state() == Direction::Sink::finished &&
           (from(side).flow() == Direction::Flow::discarding ||
            (acts_on_closes() && closes_exchanged_with(side)));
}

bool Tunnel::closes_exchanged_with(Side side) const noexcept {
    return to(side).close_passed() && from(side).scanner().close_seen();
}

// --- the report -----------------------------------------------------------------------------

void Tunnel::finish_report(MonotonicUs now) noexcept {
    if (observer_) {
        report_traffic();
        observer_->on_end(report(now));
        observer_.reset();
    }
}

CloseReason Tunnel::close_reason(Violation violation) const noexcept {
    if (close_reason_) {
        return *close_reason_;
    }
    if (close_code_ == kCloseAbnormal) {
        return {};
    }
    if (reason_ == EndReason::closed_by_operator && own_close_) {
        return own_close_->reason_;
    }
    const bool rule_broken =
        reason_ == EndReason::client_violation || reason_ == EndReason::backend_violation;
    return CloseReason(rule_broken ? close_reason_of(violation) : close_reason_of(reason_));
}

TunnelReport Tunnel::report(MonotonicUs now) const noexcept {
    TunnelReport result;
    result.reason = reason_;
    result.close_code = close_code_;
    result.os_error = os_error_;
    result.duration = started_ != kNever ? now - started_ : 0;
    result.client_rtt = pings_ ? (*pings_)[index(Side::client)].round_trip() : 0;
    for (const Side side : kSides) {
        const Direction& direction = from(side);
        FlowReport& flow = side == Side::client ? result.client : result.backend;
        flow.messages = direction.delivered_messages();
        flow.wire_bytes_read = stream(side).wire_bytes_read();
        flow.wire_bytes_written = stream(side).wire_bytes_written();
        result.violation =
            result.violation == Violation::none ? direction.violation() : result.violation;
    }
    result.close_reason = close_reason(result.violation);
    return result;
}

}  // namespace wsp
