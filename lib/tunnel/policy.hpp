// What a tunnel may do and for how long: a plain value, resolved once from the configuration and
// shared by all tunnels that it applies to. Immutable once a tunnel has it, so any thread may read
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>

#include "base/clock.hpp"
#include "protocol/close_code.hpp"
#include "protocol/frame_scanner.hpp"
#include "tunnel/report.hpp"

namespace wsp {

// What the Closes say that the proxy itself ends tunnels with, by the reason. 1012, service restart: clients that take
// 1001 for the end of the conversation come back after it.
struct CloseCodes {
    std::uint16_t idle = kCloseServiceRestart;
    std::uint16_t lifetime = kCloseServiceRestart;
    std::uint16_t expired = kCloseServiceRestart;
    std::uint16_t drain = kCloseServiceRestart;
    std::uint16_t stop = kCloseServiceRestart;
    std::uint16_t member_down = kCloseServiceRestart;

    std::uint16_t of(EndReason reason) const noexcept;
    auto all() const { return std::tie(idle, lifetime, expired, drain, stop, member_down); }
};

inline bool operator==(const CloseCodes& a, const CloseCodes& b) {
    return a.all() == b.all();
}

// Every duration in microseconds; 0 means "no limit" or "never".
struct Policy {
    std::size_t buffer_size = 64 * 1024;  // bytes kept per direction while the sink takes nothing
    DurationUs idle_timeout = 0;          // without a byte either way
    DurationUs close_timeout = 2 * kSecond;
    DurationUs send_timeout = 60 * kSecond;
    Validate validate = Validate::frames;
    DurationUs ping_interval = 0;  // of silence, after which a side is pinged
    DurationUs ping_deadline = 0;  // for any byte after a Ping; 0 only where ping_interval is 0
    bool ping_backend = false;     // not only the client
    bool half_close = true;        // one side's end of TCP leaves the other direction open
    std::uint64_t max_message_from_client = 0;
    std::uint64_t max_message_from_backend = 0;
    std::uint32_t message_rate = 0;   // per second, from the client
    std::uint32_t message_burst = 0;  // at once; 0 only where message_rate is 0
    CloseCodes close_codes;
    const void* group = nullptr;  // whose tunnels are ended together; never dereferenced

    // Every member, for operator==.
    auto all() const {
        return std::tie(buffer_size, idle_timeout, close_timeout, send_timeout, validate,
                        ping_interval, ping_deadline, ping_backend, half_close,
                        max_message_from_client, max_message_from_backend, message_rate,
                        message_burst, close_codes, group);
    }
};

inline bool operator==(const Policy& a, const Policy& b) {
    return a.all() == b.all();
}

}  // namespace wsp
