// Compares policies and chooses the close code for an end reason.
#include "tunnel/policy.hpp"

#include <type_traits>

namespace wsp {

bool operator==(const Policy& a, const Policy& b) noexcept {
    bool same = true;
#define WSP_POLICY(type, name, initial) same = same && a.name == b.name;
#include "tunnel/policy.def"
#undef WSP_POLICY
    return same;
}

bool Policy::is_sound() const noexcept {
    bool sound = buffer_size > 0;
    const auto check = [&sound](auto value) {
        if constexpr (std::is_same_v<decltype(value), DurationUs>) {
            sound = sound && value >= 0 && value != kNever;
        }
    };
#define WSP_POLICY(type, name, initial) check(name);
#include "tunnel/policy.def"
#undef WSP_POLICY
    return sound;
}

std::uint16_t Policy::close_code(EndReason reason) const noexcept {
    switch (reason) {
#define WSP_POLICY(type, name, initial)
#define WSP_CLOSE_CODE(name, reason) \
    case EndReason::reason:          \
        return name;
#include "tunnel/policy.def"
#undef WSP_POLICY
        default:
            return close_code_stop;
    }
}

}  // namespace wsp
