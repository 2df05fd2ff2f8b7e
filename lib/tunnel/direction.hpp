// One way through a tunnel: bytes are read from the source, looked at by the frame scanner, and
// written to the sink as they came. Used twice per tunnel. What the sink refuses is held, and while
// something is held the source is not read: that is the whole back-pressure.
//
// A direction belongs to its tunnel and to the thread that drives it. It refers to streams, policy
// and listener that the tunnel owns. Nothing here blocks (unless a stream says that it does).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/clock.hpp"
#include "base/held_bytes.hpp"
#include "base/side.hpp"
#include "net/stream.hpp"
#include "protocol/frame_scanner.hpp"
#include "protocol/violation.hpp"
#include "tunnel/message_meter.hpp"
#include "tunnel/terms.hpp"

namespace wsp {

// Memory that the loop lends for one call; nothing in it outlives the call.
struct Scratch {
    std::uint8_t* data = nullptr;
    std::size_t size = 0;  // more than kMaxControlFrame
};

// Sees each control frame before it is forwarded.
class ControlListener {
  public:
    // True: forward it. False: drop it.
    virtual bool on_control(Side from, const FrameScanner::Control& control) noexcept = 0;

  protected:
    ~ControlListener() = default;
};

class Direction {
  public:
    // What happens to what the source sends. A flow never goes back to a state before its own; nor does a sink.
    enum class Flow : std::uint8_t {
        relaying,    // goes to the sink
        muted,       // is followed and dropped: our own Close was the last frame that the sink gets
        discarding,  // is dropped unseen: the source broke a rule, or the sink is lost
        stopped,     // is not read: the source is at its end, or lost
    };
    // What the sink has been told of the end.
    enum class Sink : std::uint8_t {
        open,
        finishing,  // its FIN follows what is held
        finished,   // FIN is out
        lost,       // broken: nothing can be written
    };
    // How the source ended.
    enum class Source : std::uint8_t { open, ended, lost };

    // Refers to `terms`, which the tunnel owns. Of raw ones the bytes pass without being looked at, and no frame of ours is
    // ever put between them.
    Direction(Stream& source, Stream& sink, Side from, const TunnelTerms& terms,
              ControlListener& listener) noexcept;

    // Takes bytes that the source sent before there was a tunnel, as if they were read now.
    void start(const std::uint8_t* data, std::size_t size, MonotonicUs now) noexcept;

    // Moves what can be moved: writes what is held, then reads and writes at most `max_reads` times.
    // `source_ready`: reading is worth a try.
    void advance(bool source_ready, Scratch scratch, int max_reads, MonotonicUs now) noexcept;

    // Sends a frame of the proxy's own to the sink, now or at the next frame boundary. False when
    // there will be none: raw, the scanner has lost its way, the source ended in the middle of a
    // frame, or the sink is no longer open.
    bool send_frame(const std::uint8_t* frame, std::size_t size, MonotonicUs now) noexcept;
    // The same, and nothing after it: from then on the flow is muted.
    bool send_close(const std::uint8_t* frame, std::size_t size, MonotonicUs now) noexcept;

    // FIN to the sink behind what is held. The source is still read.
    void finish() noexcept;
    // Lets messages through that have waited for ProxyWebsocketMessageRate. To be called when
    // resume_at() has passed.
    void resume(MonotonicUs now) noexcept;
    // The sink is gone: drops what is held and whatever comes.
    void lose_sink() noexcept;
    // The source is gone: reads no more.
    void lose_source() noexcept { leave_source(Source::lost); }
    // The same, of one whose end nobody waits for any more.
    void end_source() noexcept { leave_source(Source::ended); }

    bool wants_read() const noexcept;
    bool wants_write() const noexcept { return !held_.empty() && sink_state_ != Sink::lost; }
    // There is input that poll() does not show, or the last advance() ran out of max_reads.
    bool has_more() const noexcept {
        return wants_read() && (read_limit_reached_ || source_.has_buffered_input());
    }

    Flow flow() const noexcept { return flow_; }
    Sink sink_state() const noexcept { return sink_state_; }
    Source source_state() const noexcept { return source_state_; }
    Violation violation() const noexcept { return violation_; }
    bool out_of_memory() const noexcept { return out_of_memory_; }
    // errno, when the source, or the sink, was lost because its connection broke.
    int source_error() const noexcept { return source_error_; }
    int sink_error() const noexcept { return sink_error_; }
    const FrameScanner& scanner() const noexcept { return scanner_; }
    // Data messages whose last byte the sink has taken.
    std::uint64_t delivered_messages() const noexcept {
        return scanner_.messages() - dropped_messages_ - held_messages_;
    }
    // A Close has gone to the sink: the source's, or ours.
    bool close_passed() const noexcept { return close_passed_; }
    bool has_held() const noexcept { return !held_.empty(); }

    // When the last byte came from the source, or reading it began again: while it is not read,
    // nobody knows how alive it is. What is dropped, since the sink gets no more, does not count.
    MonotonicUs last_read() const noexcept { return last_read_; }
    // The same, or when the sink last took some of what is held.
    MonotonicUs last_moved() const noexcept { return std::max(last_read_, blocked_since_); }
    // When messages that wait may go on; kNever while none waits.
    MonotonicUs resume_at() const noexcept { return is_paused() ? meter_->resume_at : kNever; }
    // Frames of ours wait for a frame boundary that has not come.
    bool has_pending() const noexcept { return aside_ && !aside_->pending.empty(); }
    // Since when the sink has taken nothing of what is held; kNever while nothing is.
    MonotonicUs blocked_since() const noexcept { return held_.empty() ? kNever : blocked_since_; }

  private:
    // What is rarely there.
    struct Aside {
        HeldBytes carry;    // the beginning of a frame header or control frame: not passed yet
        HeldBytes pending;  // frames of ours that wait for a frame boundary
    };

    const Policy& policy() const noexcept { return *terms_.policy; }
    bool is_paused() const noexcept {
        return meter_ && !meter_->delayed.empty() && flow_ == Flow::relaying;
    }
    bool set_aside(HeldBytes Aside::*where, const std::uint8_t* data, std::size_t size) noexcept;
    void leave_source(Source how) noexcept;
    void drop_carry() noexcept;
    void enter(Flow flow) noexcept;
    void enter(Sink state) noexcept;
    void enter(Source how) noexcept;
    void refuse_source(Violation violation) noexcept;
    void flush_held(MonotonicUs now) noexcept;
    bool read_once(Scratch scratch, MonotonicUs now) noexcept;
    void relay(const std::uint8_t* data, std::size_t size, MonotonicUs now) noexcept;
    void relay_frames(const std::uint8_t* data, std::size_t size, MonotonicUs now) noexcept;
    void relay_metered(const std::uint8_t* data, std::size_t size, MonotonicUs now) noexcept;
    std::size_t end_of_frame(const std::uint8_t* data, std::size_t size) const noexcept;
    void delay(const std::uint8_t* data, std::size_t size, MonotonicUs now) noexcept;
    void relay_delayed(MonotonicUs now) noexcept;
    std::uint64_t messages_in(const std::uint8_t* data, std::size_t size) const noexcept;
    void forward(const std::uint8_t* data, std::size_t size, MonotonicUs now,
                 std::uint64_t messages = 0) noexcept;
    void write(const std::uint8_t* data, std::size_t size, MonotonicUs now,
               std::uint64_t messages = 0) noexcept;
    std::size_t write_now(const std::uint8_t* data, std::size_t size) noexcept;
    void send_pending(MonotonicUs now) noexcept;
    void source_ended(const IoResult& how) noexcept;
    void send_fin_when_empty() noexcept;

    Stream& source_;
    Stream& sink_;
    const TunnelTerms& terms_;
    ControlListener& listener_;
    FrameScanner scanner_;
    HeldBytes held_;                       // passed the scanner, refused by the sink
    std::unique_ptr<Aside> aside_;         // null most of the time
    std::unique_ptr<MessageMeter> meter_;  // null without ProxyWebsocketMessageRate
    std::uint64_t held_messages_ = 0;      // of which the last byte may still be held
    std::uint64_t dropped_messages_ = 0;   // that have passed the scanner and not reached the sink
    MonotonicUs last_read_ = 0;
    MonotonicUs blocked_since_ = 0;
    int source_error_ = 0;
    int sink_error_ = 0;
    Side from_;
    Flow flow_ = Flow::relaying;
    Sink sink_state_ = Sink::open;
    Source source_state_ = Source::open;
    Violation violation_ = Violation::none;
    bool mute_after_pending_ = false;
    bool close_passed_ = false;
    bool truncated_ = false;  // the source ended inside a frame header, which the sink has got
    bool read_limit_reached_ = false;
    bool out_of_memory_ = false;
};

}  // namespace wsp
