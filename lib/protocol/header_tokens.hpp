// Reads comma-separated header values (RFC 9110 5.6.1) and compares tokens without regard to case. Pure; any thread.
#pragma once

#include <string_view>

namespace wsp {

// True when both are equal without regard to the case of ASCII letters.
bool iequals(std::string_view a, std::string_view b) noexcept;

// Returns `text` without spaces and tabs at its beginning and end.
std::string_view trim(std::string_view text) noexcept;

// True when `token` is one of the comma-separated elements of `list`. Empty elements are skipped.
// has_token("keep-alive, Upgrade", "upgrade") is true, has_token("upgraded", "upgrade") is false.
bool has_token(std::string_view list, std::string_view token) noexcept;

// Removes the first element from `list` and returns it, trimmed, in `element`. Parameters after ';' are a part of the
// element, and a comma inside a quoted string does not end it. Returns false when no element is left.
bool next_element(std::string_view& list, std::string_view& element) noexcept;

}  // namespace wsp
