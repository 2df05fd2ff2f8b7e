// Finds out which protocol a backend speaks, from the first bytes that it sends. Used for hints when a mapping says ws:
// and the backend speaks TLS, or the other way round. Pure; any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace wsp {

enum class DetectedProtocol {
    unknown,  // nothing was received, or too few bytes to know
    tls,      // a TLS record
    http,     // plain HTTP/1.x
    other,
};

// detect_protocol() needs no more bytes than this.
constexpr std::size_t kDetectBytes = 5;

DetectedProtocol detect_protocol(std::string_view first_bytes) noexcept;

// True when `body`, of a 400 response, says that the server wants TLS. Knows the words of common servers.
bool body_asks_for_tls(std::string_view body) noexcept;

}  // namespace wsp
