// What a tunnel may do and for how long: a plain value, resolved once from the configuration and shared by all tunnels that
// it applies to. Immutable once a tunnel has it, so any thread may read it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "protocol/frame_scanner.hpp"

namespace wsp {

// Every duration in microseconds; 0 means "no limit" or "never".
struct Policy {
    std::size_t buffer_size = 64 * 1024;  // bytes kept per direction while the sink takes nothing
    DurationUs idle_timeout = 0;          // without a byte either way
    DurationUs close_timeout = 2 * kSecond;
    DurationUs send_timeout = 60 * kSecond;
    Validate validate = Validate::frames;
};

inline bool operator==(const Policy& a, const Policy& b) {
    return a.buffer_size == b.buffer_size && a.idle_timeout == b.idle_timeout && a.close_timeout == b.close_timeout &&
           a.send_timeout == b.send_timeout && a.validate == b.validate;
}

}  // namespace wsp
