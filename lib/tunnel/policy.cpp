// Comparing policies, and which of a policy's close codes a reason asks for.
#include "tunnel/policy.hpp"

namespace wsp {

bool operator==(const Policy& a, const Policy& b) noexcept {
    bool same = true;
#define WSP_POLICY(type, name, initial) same = same && a.name == b.name;
#include "tunnel/policy.def"
#undef WSP_POLICY
    return same;
}

std::uint16_t Policy::close_code(EndReason reason) const noexcept {
    switch (reason) {
        case EndReason::idle_timeout:
            return close_code_idle;
        case EndReason::lifetime:
            return close_code_lifetime;
        case EndReason::expired:
            return close_code_expired;
        case EndReason::drain:
            return close_code_drain;
        case EndReason::member_down:
            return close_code_member_down;
        default:
            return close_code_stop;
    }
}

}  // namespace wsp
