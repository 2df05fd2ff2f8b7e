// One WebSocket connection through the proxy, after its handshake: two streams, the two directions between them, and
// the order in which they end. The loop (tunnel_loop.hpp) calls advance() when a descriptor is ready, and on_timer() at
// deadline().
//
// A tunnel can be handed to another process (tunnel_move.hpp): it is written into an image, and the process that gets
// the image and the two descriptors makes it again, with from_image(). Its peers notice nothing.
//
// A tunnel is created on any thread and then given to the thread that drives it. It owns its streams and its observer
// and shares its policy. Nothing here blocks, unless a stream says that it does. Nothing but the constructor throws.
//
// How a tunnel ends. Each side can send a Close, end its TCP, or break, and the proxy can call end(). These are the
// rules; all of them are in settle():
//   - A Close is relayed like any frame. After one Close in each direction, the server of each hop ends TCP first: the
//     proxy sends FIN to the client and waits for the FIN of the backend (RFC 6455 7.1.1).
//   - When TCP ends without a Close, or a connection breaks, the other side gets FIN without a Close, after the bytes
//     that are under way. Clients reconnect after 1006; they would take a Close for a deliberate answer. What the other
//     side still sends is relayed (half-close).
//   - With Validate::off a Close has no consequences, until the proxy sends one of its own.
//   - The proxy sends no Close to a side that has sent one: only the other side can answer it.
//   - After a Close of its own, the proxy gives a side time to reply before it sends FIN, whatever the other side does.
//   - A stream that ends_at_once() is not read any more once a Close has passed in both directions, or when nobody gets
//     what it sends.
//   - A tunnel that is ending lives for as long as bytes arrive, and for ProxyWebsocketCloseTimeout after the last
//     byte. Bytes that are dropped do not count.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "base/image_fields.hpp"
#include "survey/survey_page.hpp"
#include "tunnel/direction.hpp"
#include "tunnel/ping.hpp"
#include "tunnel/report.hpp"
#include "tunnel/terms.hpp"
#include "tunnel/timer_queue.hpp"
#include "tunnel/tunnel_move.hpp"

namespace wsp {

// What a tunnel is made of.
struct TunnelParts {
    std::unique_ptr<Stream> client;
    std::unique_ptr<Stream> backend;
    std::unique_ptr<TunnelObserver> observer;  // may be null
    TunnelTerms terms;
    // Bytes that came right after the handshake of either side. They are relayed first.
    std::string early_from_client;
    std::string early_from_backend;
};

// What the loop stores about a tunnel. The tunnel itself does not use it.
struct LoopHook : TimerHook {
    std::uint32_t loop_place = 0;
    std::array<Interest, 2> watched{{kNoInterest, kNoInterest}};  // by Side
    bool in_run_queue = false;
    bool stays = false;  // cannot move, and has been told to end
};

// A code and a reason that no policy has.
struct OwnClose {
    std::uint16_t code_ = 0;
    CloseReason reason_;

    template <class Self, class Fields>
    static void each_member(Self& self, Fields& fields) {
        WSP_EACH_MEMBER(fields, self, code, reason);
    }
};

// What a tunnel remembers besides its streams, terms, observer and directions: the whole of it travels. The members are
// the tunnel's own.
struct TunnelState {
    // By Side. Null without ProxyWebsocketPing.
    std::unique_ptr<std::array<PingState, 2>> pings_;
    // With which Close the tunnel ends for EndReason::closed_by_operator. Null most of the time.
    std::unique_ptr<OwnClose> own_close_;
    // Of the first Close, if it has one and is not the proxy's.
    std::unique_ptr<CloseReason> close_reason_;
    // What the observer has been told of.
    ReportedTraffic reported_;
    MonotonicUs started_ = kNever;
    MonotonicUs now_ = 0;  // the time of the current call
    MonotonicUs end_at_ = kNever;
    MonotonicUs closing_since_ = kNever;
    int os_error_ = 0;  // the errno of the broken connection, when that was the end
    std::uint16_t close_code_ = 0;
    EndReason end_at_reason_ = EndReason::none;
    EndReason reason_ = EndReason::none;
    bool ended_by_us_ = false;
    bool aborted_ = false;
    bool awaits_successors_ = false;

    template <class Self, class Fields>
    static void each_member(Self& self, Fields& fields) {
        WSP_EACH_MEMBER(fields, self, pings, own_close, close_reason, reported, started, now,
                        end_at, closing_since, os_error, close_code, end_at_reason, reason,
                        ended_by_us, aborted, awaits_successors);
    }
};

// Whether a tunnel can be handed to another process.
enum class CanMove : std::uint8_t { now, later, never };

class Tunnel final : public LoopHook, private ControlListener, private TunnelState {
  public:
    // May throw bad_alloc.
    explicit Tunnel(TunnelParts parts);
    Tunnel(const Tunnel&) = delete;
    Tunnel& operator=(const Tunnel&) = delete;

    // Relays the early bytes. Called once, before anything else, on the thread that drives the tunnel.
    void start(MonotonicUs now) noexcept;
    // Moves the bytes that can be moved, given what poll() says about both sides.
    void advance(Interest client_ready, Interest backend_ready, Scratch scratch,
                 MonotonicUs now) noexcept;
    // To be called when deadline() has passed. An earlier call does no harm.
    void on_timer(MonotonicUs now) noexcept;
    // The proxy ends the tunnel: sends a Close with the code of the policy to both sides, at the next frame boundary of
    // each, and then ends TCP. A second call changes nothing.
    void end(EndReason reason, MonotonicUs now) noexcept;
    // Calls end() at `at`, unless the tunnel ends before. The earliest of several such moments counts.
    void end_at(MonotonicUs at, EndReason reason) noexcept;
    // The same, with a code and a reason of its own. Without memory the code is the policy's.
    void end_at(MonotonicUs at, std::uint16_t code, std::string_view text) noexcept;
    // Ends the tunnel at once, without a Close. Afterwards done() is true.
    void abort(EndReason reason) noexcept;

    // Whether a stream may have a successor, now or later (Stream::successor).
    bool awaits_successors() const noexcept { return awaits_successors_; }
    // Replaces the streams that have one now.
    void take_successors(RecordWorkspace& workspace) noexcept;

    // What to wait for on stream(side).
    Interest interest(Side side) const noexcept;
    const Policy& policy() const noexcept { return *terms_.policy; }
    TunnelGroup::Subscription& group() noexcept { return terms_.group; }
    const Stream& stream(Side side) const noexcept { return *streams_[index(side)]; }
    // True when advance() has something to do without waiting.
    bool has_more() const noexcept {
        return from(Side::client).has_more() || from(Side::backend).has_more();
    }
    // When on_timer() must be called. kNever when there is no time limit.
    MonotonicUs deadline() const noexcept;
    // True when there is nothing left to do but finish_report() and the destructor.
    bool done() const noexcept;

    // From start() or from_image() on, between two other calls.
    CanMove can_move() const noexcept;
    // Writes all of its state, but not its descriptors. Returns false when it cannot move after all; then, or without
    // memory, the content of `image` is unspecified. The tunnel does not change.
    bool write_image(ImageWriter& image) const noexcept;
    // The image has been sent: the tunnel lives elsewhere. Tells the observer, and from now on done() is true. Neither
    // this function nor the destructor says anything to the peers.
    void moved_away() noexcept;
    // Makes the tunnel again, on the thread of the loop that will drive it. Its first call is then advance(); there is
    // no start(). Returns null when the image is odd, `restorer` refuses, or memory runs out: the descriptors are
    // closed, and an observer that `restorer` has made is told of the end.
    static std::unique_ptr<Tunnel> from_image(ImageReader& image, MovedDescriptors descriptors,
                                              TunnelRestorer& restorer,
                                              RecordWorkspace* workspace) noexcept;

    // The last question of the survey that was answered for this tunnel; travels with it.
    std::uint32_t surveyed() const noexcept { return terms_.surveyed; }
    void set_surveyed(std::uint32_t question) noexcept { terms_.surveyed = question; }
    // Tells the observer what it has not been told so far.
    void report_to_survey() noexcept;
    // Whether an order to close is about it.
    bool matches(const SurveyQuestion& order) const noexcept;
    // The numbers of its row, but for process and mode; `texts` has what the observer says.
    SurveyNumbers describe(TunnelDescription& texts, MonotonicUs now) const noexcept;

    // Calls the observer. To be called once, when done() is true or when the loop gives up the tunnel.
    void finish_report(MonotonicUs now) noexcept;
    TunnelReport report(MonotonicUs now) const noexcept;

  private:
    static constexpr Side kSides[] = {Side::client, Side::backend};
    static constexpr EndReason by_side(Side side, EndReason client, EndReason backend) {
        return side == Side::client ? client : backend;
    }
    static constexpr std::size_t index(Side side) { return static_cast<std::size_t>(side); }
    Direction& from(Side side) noexcept { return directions_[index(side)]; }
    const Direction& from(Side side) const noexcept { return directions_[index(side)]; }
    Direction& to(Side side) noexcept { return from(other(side)); }
    const Direction& to(Side side) const noexcept { return from(other(side)); }

    bool on_control(Side from, const FrameScanner::Control& control) noexcept override;
    // The first call counts. `text`: that of the Close, where the reason's own row does not have it.
    void note_end(EndReason reason, std::uint16_t close_code, std::string_view text = {}) noexcept;
    CloseReason close_reason(Violation violation) const noexcept;
    bool send_close(Side side, std::uint16_t code, std::string_view text, MonotonicUs now) noexcept;

    std::size_t held_bytes() const noexcept;
    void report_traffic_from(std::uint64_t step) noexcept;
    void report_traffic() noexcept;
    Traffic traffic() const noexcept;
    bool is_for_us(Side side, std::string_view payload) noexcept;
    void settle(MonotonicUs now) noexcept;
    void settle_violation(Side side, MonotonicUs now) noexcept;
    void settle_lost(Side side, MonotonicUs now) noexcept;
    void settle_eof(Side side, MonotonicUs now) noexcept;
    void settle_closes() noexcept;
    bool closes_exchanged_with(Side side) const noexcept;
    bool can_stop_reading(Side side) const noexcept;
    bool acts_on_closes() const noexcept;
    bool is_closing(Side side) const noexcept;
    bool awaits_close_reply(Side side) const noexcept;
    void start_pings() noexcept;
    MonotonicUs ping_deadline(Side side) const noexcept;
    void on_ping_timer(Side side, MonotonicUs now) noexcept;
    void send_ping(Side side, MonotonicUs now) noexcept;
    void lose(Side side, EndReason reason) noexcept;
    void start_closing(MonotonicUs now) noexcept;
    MonotonicUs closing_deadline() const noexcept;
    MonotonicUs last_byte() const noexcept;
    bool read_state(ImageReader& image) noexcept;

    std::array<std::unique_ptr<Stream>, 2> streams_;
    TunnelTerms terms_;
    std::unique_ptr<TunnelObserver> observer_;
    // By Side. Null once they have been relayed.
    std::unique_ptr<std::array<std::string, 2>> early_;
    // By the side from which the bytes come.
    Direction directions_[2];
    // No more members here: what is to travel belongs into TunnelState, what a loop needs into LoopHook.
};

}  // namespace wsp
