// What a tunnel reports when it ends. Values only; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.hpp"
#include "base/log_level.hpp"
#include "base/table.hpp"
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

// What %{ws-closed-by}n says.
constexpr std::string_view closed_by(EndReason reason) noexcept {
    return row_of(reason).closed_by;
}

// The reason in the Close that the proxy sends; empty where it sends none of its own.
constexpr std::string_view close_reason_of(EndReason reason) noexcept {
    return row_of(reason).close_reason;
}

// One way through the tunnel, as seen from its source.
struct FlowReport {
    std::uint64_t messages = 0;            // data messages whose last byte the other side has taken
    std::uint64_t wire_bytes_read = 0;     // from the source, TLS included
    std::uint64_t wire_bytes_written = 0;  // to the source, TLS included
};

struct TunnelReport {
    EndReason reason = EndReason::none;
    Violation violation = Violation::none;  // which rule, when the reason is a violation
    int os_error = 0;                       // errno, when the end was that a connection broke
    // Of the first Close seen or sent. 1005: that Close had no code; 1006: there was no Close.
    std::uint16_t close_code = 0;
    DurationUs duration = 0;    // since the tunnel was started
    DurationUs client_rtt = 0;  // of the last Ping that the client answered; 0: none was
    FlowReport client;
    FlowReport backend;
};

// Hears of one tunnel: what it moves, in steps, and its end. Owned by the tunnel and destroyed with it, on the thread that
// drives the tunnel: neither calls nor destructor may block.
class TunnelObserver {
  public:
    // How many bytes go by at least between two on_traffic() calls, but for the last.
    static constexpr std::uint64_t kTrafficStep = 4096;

    virtual ~TunnelObserver() = default;
    // That many more bytes from and to the backend, TLS included; all of them are close_reason before on_end().
    virtual void on_traffic(std::uint64_t read, std::uint64_t written) noexcept {
        static_cast<void>(read);
        static_cast<void>(written);
    }
    virtual void on_end(const TunnelReport& report) noexcept = 0;
};

}  // namespace wsp
