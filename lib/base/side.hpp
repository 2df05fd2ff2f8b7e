// The two ends of a tunnel and the two ways that bytes go through it. The only names used for them.
#pragma once

#include <cstdint>

namespace wsp {

// Whom a stream leads to. The client sends masked frames, the backend unmasked ones (RFC 6455 5.1).
enum class Side : std::uint8_t { client, backend };

constexpr Side other(Side side) {
    return side == Side::client ? Side::backend : Side::client;
}

constexpr const char* to_string(Side side) {
    return side == Side::client ? "client" : "backend";
}

}  // namespace wsp
