// Close codes, and which of them may appear on the wire (RFC 6455 7.4, the WebSocket Close Code registry of IANA).
// Pure.
#pragma once

#include <cstdint>

namespace wsp {

enum CloseCode : std::uint16_t {
    kCloseNormal = 1000,
    kCloseGoingAway = 1001,
    kCloseProtocolError = 1002,
    kCloseNoStatus = 1005,  // the Close had no code; never on the wire
    kCloseAbnormal = 1006,  // no Close was received; never on the wire
    kCloseInvalidPayload = 1007,
    kClosePolicyViolation = 1008,
    kCloseTooBig = 1009,
    kCloseInternalError = 1011,
    kCloseServiceRestart = 1012,
};

// True for the codes that an endpoint may send: 1000-1003, 1007-1014 and 3000-4999 (RFC 6455 7.4.2; IANA has registered
// 1012-1014). False for 1004, 1005, 1006 and 1015, which are reserved, and for all other codes.
bool may_be_sent(std::uint16_t code) noexcept;

}  // namespace wsp
