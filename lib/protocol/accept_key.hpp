// Sec-WebSocket-Key and Sec-WebSocket-Accept (RFC 6455 4.1, 4.2.2 step 5.4). Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace wsp {

// True for exactly 24 base64 characters that decode to 16 bytes. So the last two characters are "==", and the character
// before them has no bits set beyond the 16 bytes.
bool is_valid_key(std::string_view key) noexcept;

// Returns base64(SHA-1(key + the GUID of RFC 6455)), 28 characters. Empty when OpenSSL refuses SHA-1.
std::string accept_for_key(std::string_view key);

}  // namespace wsp
