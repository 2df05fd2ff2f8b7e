// Sec-WebSocket-Key and Sec-WebSocket-Accept (RFC 6455 4.2.2 step 5.4, 4.1). Pure, any thread.
#pragma once

#include <string>
#include <string_view>

namespace wsp {

// Exactly 24 base64 characters that decode to 16 bytes (so the last two are "==" and the 22nd
// carries no stray bits).
bool is_valid_key(std::string_view key) noexcept;

// base64(SHA-1(key + RFC 6455's GUID)): 28 characters.
std::string accept_for_key(std::string_view key);

}  // namespace wsp
