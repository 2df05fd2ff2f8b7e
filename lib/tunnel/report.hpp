// The report about a tunnel when it ends. Values only; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.hpp"
#include "base/log_level.hpp"
#include "base/table.hpp"
#include "metrics/tunnel_row.hpp"
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
    DurationUs duration = 0;    // since start()
    DurationUs client_rtt = 0;  // of the last Ping that the client answered; 0: none
    FlowReport client;
    FlowReport backend;
};

class ImageWriter;

// Is told what one tunnel transfers, in steps, and how it ends. Owned by the tunnel and destroyed with it, on the
// thread that drives the tunnel: neither its functions nor its destructor may block.
class TunnelObserver {
  public:
    // At least so many bytes pass between two calls of on_traffic(), except before the last call.
    static constexpr std::uint64_t kTrafficStep = 4096;

    virtual ~TunnelObserver() = default;
    // So many more bytes were read from and written to the backend, with TLS overhead. All bytes are reported before
    // on_end().
    virtual void on_traffic(std::uint64_t read, std::uint64_t written) noexcept {
        static_cast<void>(read);
        static_cast<void>(written);
    }
    virtual void on_end(const TunnelReport& report) noexcept = 0;

    // Somebody asks for the state of all tunnels (tunnel/survey.hpp). All bytes have been reported before, and `held` bytes wait
    // in the tunnel now.
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
