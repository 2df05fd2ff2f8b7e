// The report about a tunnel when it ends. Values only; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.hpp"
#include "base/image_fields.hpp"
#include "base/log_level.hpp"
#include "base/table.hpp"
#include "metrics/tunnel_row.hpp"
#include "protocol/close_reason.hpp"
#include "protocol/violation.hpp"

namespace wsp {

enum class EndReason : std::uint8_t {
#define WSP_ROW(name, ...) name,
#include "tunnel/end_reasons.def"
};

template <>
struct Table<EndReason> {
    struct Row {
        std::string_view name;
        std::string_view closed_by;
        LogLevel level;
        std::string_view text;
        std::string_view close_reason;
    };
    static constexpr Row kRows[] = {
#define WSP_ROW(name, closed_by, level, text, close_reason) \
    {#name, closed_by, level, text, close_reason},
#include "tunnel/end_reasons.def"
    };
};

// The value of %{ws-closed-by}n.
constexpr std::string_view closed_by(EndReason reason) noexcept {
    return row_of(reason).closed_by;
}

// The reason in the Close, when the proxy sends one, else empty.
constexpr std::string_view close_reason_of(EndReason reason) noexcept {
    return row_of(reason).close_reason;
}

// One direction of the tunnel, as seen from its source.
struct FlowReport {
    std::uint64_t messages = 0;            // data messages that the other side has taken completely
    std::uint64_t wire_bytes_read = 0;     // received from the source, with TLS overhead
    std::uint64_t wire_bytes_written = 0;  // sent to the source, with TLS overhead
};

struct TunnelReport {
    EndReason reason = EndReason::none;
    Violation violation = Violation::none;  // the broken rule, when the reason is a violation
    int os_error = 0;                       // the errno, when a broken connection was the reason
    // The code of the first Close that was received or sent. 1005: it had no code. 1006: there was no Close.
    std::uint16_t close_code = 0;
    CloseReason close_reason;   // of the same Close
    DurationUs duration = 0;    // since start()
    DurationUs client_rtt = 0;  // of the last Ping that the client answered; 0: none
    FlowReport client;
    FlowReport backend;
};

// What a tunnel has transferred. in: from the client, out: to the client.
struct Traffic {
    std::uint64_t messages_in = 0;  // data messages, when their receiver has taken them completely
    std::uint64_t messages_out = 0;
    std::uint64_t bytes_in = 0;  // of the client's connection, with TLS overhead
    std::uint64_t bytes_out = 0;
    std::uint64_t backend_read = 0;  // of the backend's connection, with TLS overhead
    std::uint64_t backend_written = 0;

    bool is_nothing() const noexcept {
        return (messages_in | messages_out | bytes_in | bytes_out | backend_read |
                backend_written) == 0;
    }
};

// How much of a tunnel's traffic has been reported. Only the lower halves of its numbers, to be small: less than 4 GiB
// pass between two reports, which come at least with each deadline of a tunnel that drops bytes.
class ReportedTraffic {
  public:
    // What is missing to `all`. From now on all of it has been reported.
    Traffic take(const Traffic& all) noexcept {
        return {take(messages_in_, all.messages_in),   take(messages_out_, all.messages_out),
                take(bytes_in_, all.bytes_in),         take(bytes_out_, all.bytes_out),
                take(backend_read_, all.backend_read), take(backend_written_, all.backend_written)};
    }
    // How many bytes of the backend are missing, if these are all.
    std::uint32_t missing(std::uint64_t backend_bytes) const noexcept {
        return static_cast<std::uint32_t>(backend_bytes) - backend_read_ - backend_written_;
    }

    template <class Self, class Fields>
    static void each_member(Self& self, Fields& fields) {
        WSP_EACH_MEMBER(fields, self, messages_in, messages_out, bytes_in, bytes_out, backend_read,
                        backend_written);
    }

  private:
    static std::uint64_t take(std::uint32_t& reported, std::uint64_t all) noexcept {
        const std::uint32_t before = reported;
        reported = static_cast<std::uint32_t>(all);
        return reported - before;
    }

    std::uint32_t messages_in_ = 0;
    std::uint32_t messages_out_ = 0;
    std::uint32_t bytes_in_ = 0;
    std::uint32_t bytes_out_ = 0;
    std::uint32_t backend_read_ = 0;
    std::uint32_t backend_written_ = 0;
};

class ImageWriter;

// Is told what one tunnel transfers, in steps, and how it ends. Owned by the tunnel and destroyed with it, on the
// thread that drives the tunnel: neither its functions nor its destructor may block.
class TunnelObserver {
  public:
    // At least so many bytes of the backend pass between two calls of on_traffic(), unless somebody asks or time has
    // passed.
    static constexpr std::uint64_t kTrafficStep = 4096;

    virtual ~TunnelObserver() = default;
    // So much more was transferred. All of it is reported before on_end().
    virtual void on_traffic(const Traffic& more) noexcept { static_cast<void>(more); }
    // The client has answered our last Ping.
    virtual void on_pong(DurationUs round_trip) noexcept { static_cast<void>(round_trip); }
    virtual void on_end(const TunnelReport& report) noexcept = 0;

    // Somebody asks for the state of all tunnels (survey/survey.hpp). All bytes have been reported before, and `held`
    // bytes wait in the tunnel now.
    virtual void on_survey(std::uint64_t held) noexcept { static_cast<void>(held); }
    // Whose tunnel it is. The views must stay valid until the observer is called again.
    virtual void describe(TunnelDescription& to) const noexcept { static_cast<void>(to); }

    // Writes what TunnelRestorer::restore() needs to make this observer again in another process. Returns false when
    // the tunnel must not move. May be called several times, when the image was not sent.
    virtual bool write_image(ImageWriter& image) const noexcept {
        static_cast<void>(image);
        return false;
    }
    // The tunnel lives elsewhere now: the observer there hears of its end, and of the bytes that this one has not been
    // told of. Nothing but the destructor follows.
    virtual void on_moved() noexcept {}
};

}  // namespace wsp
