// One direction of a tunnel: reads bytes from the source, shows them to the frame scanner, and writes them unchanged to
// the sink. A tunnel has two. Bytes that the sink does not take are held, and while any are held the source is not
// read. There is no other back-pressure.
//
// A direction belongs to its tunnel and to the thread that drives the tunnel. It refers to streams, terms and listener,
// which the tunnel owns. Nothing here blocks, unless a stream says that it does.
//
// Its verbs, in the order of a byte's way:
//   delay    keeps messages that come faster than ProxyWebsocketMessageRate until they may pass
//   relay    shows bytes of the source to the scanner and forwards those that have passed
//   forward  writes bytes of the source, or drops them when the flow is not `relaying`
//   write    writes to the sink now, and holds what the sink does not take
//   send     puts a frame of our own (Ping, Close) between two frames of the source
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/clock.hpp"
#include "base/held_bytes.hpp"
#include "base/image_fields.hpp"
#include "base/side.hpp"
#include "net/stream.hpp"
#include "protocol/frame_scanner.hpp"
#include "protocol/violation.hpp"
#include "tunnel/message_meter.hpp"
#include "tunnel/terms.hpp"

namespace wsp {

// Memory that the loop lends for one call. Nothing in it outlives the call.
struct Scratch {
    std::uint8_t* data = nullptr;
    std::size_t size = 0;  // larger than kMaxControlFrame
};

// Is shown each control frame before it is forwarded.
class ControlListener {
  public:
    // Returns true to forward the frame, false to drop it.
    virtual bool on_control(Side from, const FrameScanner::Control& control) noexcept = 0;

  protected:
    ~ControlListener() = default;
};

// A direction's links to the other parts of its tunnel.
template <>
inline constexpr bool kStaysBehind<Stream*> = true;
template <>
inline constexpr bool kStaysBehind<TunnelTerms> = true;
template <>
inline constexpr bool kStaysBehind<ControlListener> = true;

class Direction {
  public:
    // What happens to the bytes of the source. A flow never returns to an earlier state, and neither does a sink.
    enum class Flow : std::uint8_t {
        relaying,  // bytes go to the sink
        muted,     // frames are followed and dropped: our own Close was the last frame for the sink
        discarding,  // bytes are dropped unseen: the source broke a rule, or the sink is lost
        stopped,     // the source is not read: it has ended or is lost
    };
    // What the sink knows of the end.
    enum class Sink : std::uint8_t {
        open,
        finishing,  // FIN follows after the held bytes
        finished,   // FIN has been sent
        lost,       // broken: nothing can be written
    };
    // How the source ended.
    enum class Source : std::uint8_t { open, ended, lost };
    friend constexpr Flow last_of(Flow) { return Flow::stopped; }  // base/image.hpp
    friend constexpr Sink last_of(Sink) { return Sink::lost; }
    friend constexpr Source last_of(Source) { return Source::lost; }

    // Keeps references to the streams and to `terms`, which the tunnel owns. With raw terms bytes are not looked at,
    // and no frame of our own is ever sent.
    Direction(Stream& source, Stream& sink, Side from, const TunnelTerms& terms,
              ControlListener& listener) noexcept;

    // A stream has a successor: from now on these are the source and the sink.
    void replace_streams(Stream& source, Stream& sink) noexcept {
        source_ = &source;
        sink_ = &sink;
    }

    // To be called once, first. Takes the bytes that the source sent before there was a tunnel, as if they were read
    // now.
    void start(const std::uint8_t* data, std::size_t size, MonotonicUs now) noexcept;

    // Moves the bytes that can be moved: writes the held bytes, then reads and writes at most `max_reads` times.
    // `source_ready` says that reading is worth a try.
    void advance(bool source_ready, Scratch scratch, int max_reads, MonotonicUs now) noexcept;

    // Sends a frame of the proxy to the sink, now or at the next frame boundary. Returns false when the frame cannot be
    // sent: the tunnel is raw, a Close has been sent or waits, the scanner is lost, the source has ended in the middle
    // of a frame, or the sink is not open any more.
    bool send_frame(const std::uint8_t* frame, std::size_t size, MonotonicUs now) noexcept;
    // Like send_frame(), for the last frame of this direction: afterwards the flow is muted.
    bool send_close(const std::uint8_t* frame, std::size_t size, MonotonicUs now) noexcept;

    // Sends FIN to the sink after the held bytes. The source is still read.
    void finish() noexcept;
    // Relays messages that ProxyWebsocketMessageRate has delayed. To be called when resume_at() has passed.
    void resume(MonotonicUs now) noexcept;
    // The sink is lost: drops the held bytes and everything that follows.
    void lose_sink() noexcept;
    // The source is lost and is not read any more.
    void lose_source() noexcept { leave_source(Source::lost); }
    // The source is not read any more because nobody waits for its end.
    void end_source() noexcept { leave_source(Source::ended); }

    bool wants_read() const noexcept;
    bool wants_write() const noexcept { return !held_.empty() && sink_state_ != Sink::lost; }
    // True when there is input that poll() does not show, or when the last advance() stopped at max_reads.
    bool has_more() const noexcept {
        return wants_read() && (read_limit_reached_ || source_->has_buffered_input());
    }

    Flow flow() const noexcept { return flow_; }
    Sink sink_state() const noexcept { return sink_state_; }
    Source source_state() const noexcept { return source_state_; }
    Violation violation() const noexcept { return violation_; }
    bool out_of_memory() const noexcept { return out_of_memory_; }
    // The errno when the source, or the sink, was lost because its connection broke.
    int source_error() const noexcept { return source_error_; }
    int sink_error() const noexcept { return sink_error_; }
    const FrameScanner& scanner() const noexcept { return scanner_; }
    // Data messages that the sink has taken completely.
    std::uint64_t delivered_messages() const noexcept {
        return scanner_.messages() - dropped_messages_ - held_messages_;
    }
    // True when a Close has gone to the sink, from the source or from us.
    bool close_passed() const noexcept { return close_passed_; }
    bool has_held() const noexcept { return !held_.empty(); }
    // What waits here because the sink takes none, or because messages come too fast.
    std::size_t held_bytes() const noexcept {
        return held_.size() + (meter_ ? meter_->delayed.size() : 0);
    }

    // When the last byte came from the source, or when reading began again: while the source is not read, nobody knows
    // whether it is alive. Bytes that are dropped do not count.
    MonotonicUs last_read() const noexcept { return last_read_; }
    // last_read(), or when the sink last took some of the held bytes, whichever is later.
    MonotonicUs last_moved() const noexcept { return std::max(last_read_, blocked_since_); }
    // When delayed messages may go on. kNever when none are delayed.
    MonotonicUs resume_at() const noexcept { return is_paused() ? meter_->resume_at : kNever; }
    // True when frames of our own wait for a frame boundary.
    bool has_pending() const noexcept { return aside_ && !aside_->pending.empty(); }
    // Since when the sink has taken none of the held bytes. kNever when none are held.
    MonotonicUs blocked_since() const noexcept { return held_.empty() ? kNever : blocked_since_; }

    // For base/image_fields.hpp.
    template <class Self, class Fields>
    static void each_member(Self& self, Fields& fields) {
        WSP_EACH_MEMBER(fields, self, source_, sink_, terms_, listener_, scanner_, held_, aside_,
                        meter_, held_messages_, dropped_messages_, last_read_, blocked_since_,
                        source_error_, sink_error_, from_, flow_, sink_state_, source_state_,
                        violation_, mute_after_pending_, close_passed_, truncated_,
                        read_limit_reached_, out_of_memory_);
    }
    bool is_sound() const noexcept;
    Side from() const noexcept { return from_; }

  private:
    // State that a direction rarely needs.
    struct Aside {
        HeldBytes carry;    // the beginning of a frame header or control frame, not forwarded yet
        HeldBytes pending;  // frames of our own that wait for a frame boundary

        template <class Self, class Fields>
        static void each_member(Self& self, Fields& fields) {
            WSP_EACH_MEMBER(fields, self, carry_, pending_);
        }
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

    Stream* source_;  // never null, as is sink_
    Stream* sink_;
    const TunnelTerms& terms_;
    ControlListener& listener_;
    FrameScanner scanner_;
    HeldBytes held_;                       // have passed the scanner; the sink has not taken them
    std::unique_ptr<Aside> aside_;         // null most of the time
    std::unique_ptr<MessageMeter> meter_;  // null without ProxyWebsocketMessageRate
    std::uint64_t held_messages_ = 0;      // messages whose last byte may still be held
    std::uint64_t dropped_messages_ = 0;   // messages that passed the scanner but not the sink
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
    bool truncated_ = false;  // the source ended inside a frame header that was forwarded
    bool read_limit_reached_ = false;
    bool out_of_memory_ = false;
};

}  // namespace wsp
