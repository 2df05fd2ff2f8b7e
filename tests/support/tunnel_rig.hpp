// A tunnel between two scripted peers, driven as a pump would, with an invented clock. Notes the
// first thing that no tunnel may ever do; judge() in tunnel_verdict.hpp adds what can only be said
// at the end.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support/scripted_peer.hpp"
#include "tunnel/tunnel.hpp"

namespace wsp::test {

struct Setup {
    Policy policy;
    std::string early_from_client, early_from_backend;
    std::uint8_t allowed_rsv = 0;
    bool raw = false;
    Lifetime lifetime;
};

// How finely the same story is told. Zero: as the setup has it, or no limit.
struct Variation {
    std::size_t chunk = 0;  // bytes per read and per write
    std::size_t buffer_size = 0;
    std::size_t record = 0;
    bool stutters = false;
    std::size_t scratch_size = 4 * 1024;
    std::size_t moves =
        0;  // the tunnel moves to another loop after each so many wake-ups; 0: never
};

struct Fault {
    enum Kind { none, read_error, read_eof, write_error };
    Kind kind = none;
    Side side = Side::client;
    std::size_t at = 0;  // which operation, from 1
};

class Rig {
  public:
    explicit Rig(const Setup& setup = {}, const Variation& variation = {}, const Fault& fault = {})
        : setup_(setup),
          client(Side::client, scripts_[0], setup.early_from_client),
          backend(Side::backend, scripts_[1], setup.early_from_backend),
          scratch_(variation.scratch_size),
          moves_(variation.moves) {
        if (variation.buffer_size != 0)
            setup_.policy.buffer_size = variation.buffer_size;
        for (Side side : {Side::client, Side::backend})
            prepare(side, variation);
        break_at(fault);
        make_tunnel();
    }

    void start() {
        started_ = true;
        tunnel->start(now);
        drive(kReadable, kReadable);
    }

    // Until nothing moves any more without time going by.
    void run() {
        if (!started_)
            start();
        for (;;) {
            const bool client_acted = client.react();
            const bool acted = backend.react() || client_acted;
            if (tunnel->done())
                return;
            now += acted && setup_.policy.ping_interval > 0;  // no Pong comes in no time
            const bool more = tunnel->has_more();
            const int again = more ? kReadable : kNoInterest;
            const Interest c = ready(Side::client), b = ready(Side::backend);
            if (c == kNoInterest && b == kNoInterest && !more && !acted)
                return;
            drive(static_cast<Interest>(c | again), static_cast<Interest>(b | again));
            if (!problem.empty())
                return;
        }
    }

    // What a loop does when it sends the tunnel, and another one when it takes it in.
    void move() {
        if (!started_ || tunnel->done())
            return;
        require(tunnel->can_move() == CanMove::now, "the tunnel cannot move");
        const std::string image = image_of(*tunnel);
        Restorer restorer(*this);
        ImageReader reader(image);
        std::unique_ptr<Tunnel> there = Tunnel::from_image(reader, {}, restorer, nullptr);
        require(there != nullptr, "the tunnel does not arrive");
        if (!there)
            return;
        require(image_of(*there) == image, "it has not arrived as it was sent");
        tunnel->moved_away();
        require(tunnel->done(), "the tunnel that has moved is not done");
        tunnel = std::move(there);
        advance(kReadable, kReadable);
    }

    void pass(DurationUs span) {
        const MonotonicUs until = now + span;
        run();
        while (!tunnel->done() && tunnel->deadline() <= until && problem.empty()) {
            fire();
            run();
        }
        now = until;
    }

    void end_by_proxy(EndReason reason = EndReason::drain) {
        if (!started_)
            start();
        asked_to_end_ = true;
        tunnel->end(reason, now);
    }

    void end_at(MonotonicUs at, EndReason reason) {
        asked_to_end_ = true;
        tunnel->end_at(at, reason);
    }

    // The proxy's own Close may have been sent, and what comes behind it is dropped.
    bool ended_by_us() const {
        const TunnelReport told = tunnel->report(now);
        const bool outlived = setup_.lifetime.span > 0 && told.duration >= setup_.lifetime.span;
        // Relaying blindly, a tunnel that one side has ended is idle like any other.
        const Policy& policy = setup_.policy;
        const bool idled = policy.validate == Validate::off && policy.idle_timeout > 0 &&
                           told.duration >= policy.idle_timeout;
        return asked_to_end_ || outlived || idled || closed_by(told.reason) == "proxy" ||
               told.violation != Violation::none;
    }

    // Lets everything come to its end, by the proxy if nothing else would.
    void finish() {
        const MonotonicUs before = now;
        run();
        for (int rounds = 0; !tunnel->done() && problem.empty(); ++rounds) {
            require(rounds < 100, "the timers do not end it");
            // Answered Pings go on for ever.
            if (tunnel->deadline() == kNever || rounds == 50)
                end_by_proxy();
            else
                fire();
            run();
        }
        const Policy& policy = setup_.policy;
        const DurationUs pings = 50 * (policy.ping_interval + policy.ping_deadline);
        const DurationUs messages =
            policy.message_rate == 0 ? 0 : 50 * kSecond / policy.message_rate;
        require(now - before <= policy.idle_timeout + 2 * policy.send_timeout +
                                    3 * policy.close_timeout + pings + messages,
                "the end takes too long");
        tunnel->finish_report(now);
        require(tells == 1, "the observer was not told once");
    }

    ScriptedPeer& peer(Side side) { return side == Side::client ? client : backend; }
    const ScriptedPeer& peer(Side side) const { return side == Side::client ? client : backend; }
    Script& script(Side side) { return scripts_[static_cast<std::size_t>(side)]; }
    const Script& script(Side side) const { return scripts_[static_cast<std::size_t>(side)]; }
    const Setup& setup() const { return setup_; }

    std::vector<Traffic> traffic_told;
    std::vector<DurationUs> round_trips;

    void require(bool kept, const std::string& otherwise) {
        if (!kept && problem.empty())
            problem = otherwise;
    }

  private:
    struct Teller final : TunnelObserver {
        explicit Teller(Rig& rig) : rig(rig) {}
        void on_traffic(const Traffic& more) noexcept override { rig.traffic_told.push_back(more); }
        void on_pong(DurationUs round_trip) noexcept override {
            rig.round_trips.push_back(round_trip);
        }
        bool write_image(ImageWriter& image) const noexcept override {
            image.put_bytes("teller");
            return true;
        }
        void on_moved() noexcept override { ++rig.moved; }
        void on_end(const TunnelReport& told) noexcept override {
            rig.report = told;
            Traffic sum;
            for (const Traffic& more : rig.traffic_told) {
                sum.messages_in += more.messages_in;
                sum.messages_out += more.messages_out;
                sum.bytes_in += more.bytes_in;
                sum.bytes_out += more.bytes_out;
                sum.backend_read += more.backend_read;
                sum.backend_written += more.backend_written;
            }
            const Traffic all{told.client.messages,         told.backend.messages,
                              told.client.wire_bytes_read,  told.client.wire_bytes_written,
                              told.backend.wire_bytes_read, told.backend.wire_bytes_written};
            ReportedTraffic reported;
            reported.take(sum);
            rig.require(reported.take(all).is_nothing(),
                        "on_traffic() and on_end() tell of different traffic");
            ++rig.tells;
        }
        Rig& rig;
    };

    struct Restorer final : TunnelRestorer {
        explicit Restorer(Rig& rig) : rig(rig) {}
        bool restore(ImageReader& observer, const Policy& policy,
                     TunnelOwners& to) noexcept override {
            rig.require(observer.take_bytes() == "teller" && observer.at_end(),
                        "the observer's image is not as it was");
            to = {std::make_unique<Teller>(rig), std::make_shared<const Policy>(policy), {}};
            return true;
        }
        std::unique_ptr<Stream> stream(Side side, ImageReader& image, UniqueFd,
                                       RecordWorkspace*) noexcept override {
            StreamKind kind{};
            image.take(kind);
            return std::make_unique<ScriptedStream>(rig.script(side));
        }
        Rig& rig;
    };

    std::string image_of(const Tunnel& one) {
        ImageWriter writer;
        require(one.write_image(writer) && writer.ok(), "the tunnel makes no image");
        return {reinterpret_cast<const char*>(writer.data()), writer.size()};
    }

    void prepare(Side side, const Variation& variation) {
        Script& s = script(side);
        const Script& sink = script(other(side));
        s.something_held = [this, side, &sink] {
            return sink.refused && !sink.broken && (tunnel->interest(other(side)) & kWritable) != 0;
        };
        s.record = variation.record;
        s.stutters = variation.stutters;
        if (variation.chunk != 0)
            s.read_chunk = s.write_chunk = variation.chunk;
    }

    void break_at(const Fault& fault) {
        Script& s = script(fault.side);
        s.fail_read_at = fault.kind == Fault::read_error ? fault.at : 0;
        s.end_read_at = fault.kind == Fault::read_eof ? fault.at : 0;
        s.fail_write_at = fault.kind == Fault::write_error ? fault.at : 0;
    }

    void make_tunnel() {
        TunnelParts parts;
        parts.client = std::make_unique<ScriptedStream>(scripts_[0]);
        parts.backend = std::make_unique<ScriptedStream>(scripts_[1]);
        parts.terms.policy = std::make_shared<const Policy>(setup_.policy);
        parts.observer = std::make_unique<Teller>(*this);
        parts.early_from_client = setup_.early_from_client;
        parts.early_from_backend = setup_.early_from_backend;
        parts.terms.allowed_rsv = setup_.allowed_rsv;
        parts.terms.raw = setup_.raw;
        parts.terms.lifetime = setup_.lifetime;
        tunnel = std::make_unique<Tunnel>(std::move(parts));
    }

    Interest ready(Side side) const { return script(side).ready(tunnel->interest(side)); }

    std::size_t operations() const {
        return scripts_[0].reads + scripts_[0].writes + scripts_[1].reads + scripts_[1].writes +
               scripts_[0].fin + scripts_[1].fin;
    }

    void drive(Interest client_ready, Interest backend_ready) {
        const std::size_t before = operations();
        const bool expected = tunnel->has_more() || ready(Side::client) || ready(Side::backend);
        advance(client_ready, backend_ready);
        require(!expected || operations() > before, "a wake-up without an operation: a busy loop");
        require(++steps_ < 100'000, "no end of wake-ups");
        for (Side side : {Side::client, Side::backend})
            check_held(side);
        if (moves_ != 0 && steps_ % moves_ == 0)
            move();
    }

    void advance(Interest client_ready, Interest backend_ready) {
        tunnel->advance(client_ready, backend_ready, {scratch_.data(), scratch_.size()}, now);
        scratch_.assign(scratch_.size(), 0xDD);  // nothing in it may outlive the call
        if (tunnel->deadline() <= now)
            tunnel->on_timer(now);
    }

    void fire() {
        now = std::max(now, tunnel->deadline());
        tunnel->on_timer(now);
    }

    // Read and neither written nor dropped: at most a buffer, a control frame in pieces and a Close
    // of ours.
    void check_held(Side from) {
        const Script& sink = script(other(from));
        const std::size_t early = peer(from).early().size();
        const std::size_t bound = early + setup_.policy.buffer_size + 2 * kMaxControlFrame;
        const bool held = (tunnel->interest(other(from)) & kWritable) != 0;
        const std::size_t in = early + script(from).taken;
        require(!held || ended_by_us() || in <= sink.written.size() + bound, "too much is held");
    }

    Setup setup_;
    Script scripts_[2];

  public:
    ScriptedPeer client, backend;
    MonotonicUs now = 1'000'000'000;
    std::unique_ptr<Tunnel> tunnel;
    TunnelReport report;
    int tells = 0;
    int moved = 0;
    std::string problem;

  private:
    std::vector<std::uint8_t> scratch_;
    std::size_t moves_;
    std::size_t steps_ = 0;
    bool started_ = false;
    bool asked_to_end_ = false;
};

}  // namespace wsp::test
