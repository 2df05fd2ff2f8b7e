// What a tunnel may do and for how long. A plain value, resolved once from the configuration and shared by all tunnels
// to which it applies. Never changes once a tunnel has it, so any thread may read it.
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

    // For base/image_fields.hpp.
    template <class Self, class Fields>
    static void each_member(Self& self, Fields& fields) {
#define WSP_POLICY(type, name, initial) fields(self.name);
#include "tunnel/policy.def"
#undef WSP_POLICY
    }
    // False when a tunnel could not work with these numbers, which no configuration can have.
    bool is_sound() const noexcept;

    // The code of the Close with which the proxy ends a tunnel for this reason.
    std::uint16_t close_code(EndReason reason) const noexcept;
};

// Compares all members: a tunnel must never run with the policy of another one.
bool operator==(const Policy& a, const Policy& b) noexcept;

}  // namespace wsp
