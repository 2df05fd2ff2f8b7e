// Which of a policy's close codes a reason asks for.
#include "tunnel/policy.hpp"

namespace wsp {

std::uint16_t CloseCodes::of(EndReason reason) const noexcept {
    switch (reason) {
        case EndReason::idle_timeout:
            return idle;
        case EndReason::lifetime:
            return lifetime;
        case EndReason::expired:
            return expired;
        case EndReason::drain:
            return drain;
        case EndReason::member_down:
            return member_down;
        default:
            return stop;
    }
}

}  // namespace wsp
