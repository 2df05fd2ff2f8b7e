// What a tunnel may do and for how long: a plain value, resolved once from the configuration and shared by all tunnels that it
// applies to. Immutable once a tunnel has it, so any thread may read it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "protocol/close_code.hpp"
#include "protocol/frame_scanner.hpp"
#include "tunnel/report.hpp"

namespace wsp {

struct Policy {
#define WSP_POLICY(type, name, initial) type name = initial;
#include "tunnel/policy.def"
#undef WSP_POLICY

    // The code of the Close with which the proxy ends a tunnel for that reason.
    std::uint16_t close_code(EndReason reason) const noexcept;
};

// Every member counts: a tunnel must never run on another's policy.
bool operator==(const Policy& a, const Policy& b) noexcept;

}  // namespace wsp
