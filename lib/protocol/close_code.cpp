// Which close codes may be sent.
#include "protocol/close_code.hpp"

namespace wsp {
namespace {

constexpr bool in_range(std::uint16_t code, std::uint16_t first, std::uint16_t last) {
    return first <= code && code <= last;
}

}  // namespace

bool may_be_sent(std::uint16_t code) noexcept {
    return in_range(code, 1000, 1003)      // RFC 6455 7.4.1
           || in_range(code, 1007, 1014)   // RFC 6455 7.4.1, IANA: 1012-1014
           || in_range(code, 3000, 4999);  // RFC 6455 7.4.2: libraries and private use
}

}  // namespace wsp
