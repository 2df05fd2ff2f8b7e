// The two sides of a tunnel. They have no other names in this code.
#pragma once

#include <cstdint>

namespace wsp {

// The peer at the other end of a stream. The client sends masked frames, the backend unmasked ones (RFC 6455 5.1).
enum class Side : std::uint8_t { client, backend };

constexpr Side last_of(Side) {  // base/image.hpp
    return Side::backend;
}

constexpr Side other(Side side) {
    return side == Side::client ? Side::backend : Side::client;
}

constexpr const char* to_string(Side side) {
    return side == Side::client ? "client" : "backend";
}

}  // namespace wsp
