// One WebSocket connection through the proxy, after its handshake: two streams, the two directions
// between them, and the order in which things end. Driven from outside: whoever polls the
// descriptors (the loop that it is in: tunnel_loop.hpp) calls advance() when something
// is ready and on_timer() at deadline().
//
// A tunnel is made on any thread and then handed over whole to the one that drives it. It owns its
// streams and observer and shares its policy. Nothing here blocks (unless a stream says that it
// does) and nothing but the constructor throws.
//
// How a tunnel ends. Each side can send a Close, end its TCP, or break; the proxy can end it by
// end(). The rules, all in settle():
//   - A Close is relayed like any frame. When one has gone each way, the server's end of each hop
//     goes first: the proxy sends FIN to the client, and waits for the backend's (RFC 6455 7.1.1).
//   - TCP ending without a Close, or a connection breaking, is passed on as TCP's end without a
//     Close, behind what is under way: clients recover from 1006 and take a Close for an answer.
//     What the other side has still to say arrives (half-close).
//   - With Validate::off nothing follows from Closes, until the proxy sends its own.
//   - No Close is made up for a side that has sent its own: only the other side can answer it.
//   - A side that the proxy itself has sent a Close has time to answer it before it sees FIN,
//     whatever the other side does.
//   - A stream that ends_at_once() is not read any more once both Closes have passed it, or what it sends reaches nobody.
//   - Once it is ending, a tunnel lives for as long as bytes still arrive, and for
//     ProxyWebsocketCloseTimeout after the last; bytes that are dropped do not count.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "tunnel/direction.hpp"
#include "tunnel/ping.hpp"
#include "tunnel/report.hpp"
#include "tunnel/terms.hpp"
#include "tunnel/timer_queue.hpp"

namespace wsp {

// What a tunnel is made of.
struct TunnelParts {
    std::unique_ptr<Stream> client;
    std::unique_ptr<Stream> backend;
    std::unique_ptr<TunnelObserver> observer;  // may be null
    TunnelTerms terms;
    std::string early_from_client;  // bytes that came behind either handshake: they travel first
    std::string early_from_backend;
};

// What the loop notes on a tunnel that it drives; the tunnel itself does not look at it.
struct LoopHook : TimerHook {
    std::uint32_t loop_place = 0;
    std::array<Interest, 2> watched{{kNoInterest, kNoInterest}};  // by Side
    bool in_run_queue = false;
};

class Tunnel final : public LoopHook, private ControlListener {
  public:
    // May throw bad_alloc.
    explicit Tunnel(TunnelParts parts);
    Tunnel(const Tunnel&) = delete;
    Tunnel& operator=(const Tunnel&) = delete;

    // Lets the early bytes travel. Called once, first, on the driving thread.
    void start(MonotonicUs now) noexcept;
    // Moves what can be moved, given what poll() said about either side.
    void advance(Interest client_ready, Interest backend_ready, Scratch scratch,
                 MonotonicUs now) noexcept;
    // To be called when deadline() has passed; calling it earlier does no harm.
    void on_timer(MonotonicUs now) noexcept;
    // The proxy's own wish to end: a Close with the policy's code to both sides at the next frame
    // boundary of each, then TCP. A second call changes nothing.
    void end(EndReason reason, MonotonicUs now) noexcept;
    // end() at `at`, unless something ends the tunnel before; of several such moments the earliest
    // counts.
    void end_at(MonotonicUs at, EndReason reason) noexcept;
    // Ends at once, without a Close; done() is true afterwards.
    void abort(EndReason reason) noexcept;

    // What to wait for on stream(side).
    Interest interest(Side side) const noexcept;
    const Policy& policy() const noexcept { return *terms_.policy; }
    TunnelGroup::Subscription& group() noexcept { return terms_.group; }
    const Stream& stream(Side side) const noexcept { return *streams_[index(side)]; }
    // advance() has something to do without waiting.
    bool has_more() const noexcept {
        return from(Side::client).has_more() || from(Side::backend).has_more();
    }
    // When on_timer() is due; kNever when nothing is timed.
    MonotonicUs deadline() const noexcept;
    // Nothing is left to do but to destroy the tunnel; finish_report() first.
    bool done() const noexcept;

    // Tells the observer. Called once, when done() or when the driver gives up on the tunnel.
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
    void note_end(EndReason reason, std::uint16_t close_code) noexcept;
    bool send_close(Side side, std::uint16_t code, std::string_view text, MonotonicUs now) noexcept;

    void report_traffic(std::uint64_t step) noexcept;
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

    std::array<std::unique_ptr<Stream>, 2> streams_;
    TunnelTerms terms_;
    std::unique_ptr<TunnelObserver> observer_;
    std::unique_ptr<std::array<std::string, 2>> early_;  // by Side; null once they have travelled
    Direction directions_[2];                            // by the side that the bytes come from
    std::unique_ptr<std::array<PingState, 2>> pings_;    // by Side; null without ProxyWebsocketPing
    std::uint64_t reported_read_ = 0;                    // of the backend's bytes, to the observer
    std::uint64_t reported_written_ = 0;
    MonotonicUs started_ = kNever;
    MonotonicUs now_ = 0;  // of the call in progress
    MonotonicUs end_at_ = kNever;
    MonotonicUs closing_since_ = kNever;
    int os_error_ = 0;  // of the connection that broke, when that was the end
    std::uint16_t close_code_ = 0;
    EndReason end_at_reason_ = EndReason::none;
    EndReason reason_ = EndReason::none;
    bool ended_by_us_ = false;
    bool aborted_ = false;
};

}  // namespace wsp
