// What a backend speaks, from the first bytes that it has sent: for hints where a mapping says ws and means wss, or the other
// way. Pure; any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace wsp {

enum class DetectedProtocol {
    unknown,  // it has sent nothing, or too little to know
    tls,      // a TLS record
    http,     // plain HTTP/1.x
    other,
};

// As many bytes are enough for detect_protocol().
constexpr std::size_t kDetectBytes = 5;

DetectedProtocol detect_protocol(std::string_view first_bytes) noexcept;

// The body of a 400 in which a server says that it wants TLS, in the words of those that are common.
bool body_asks_for_tls(std::string_view body) noexcept;

}  // namespace wsp
