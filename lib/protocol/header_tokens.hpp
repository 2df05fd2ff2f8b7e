// Comma-separated header values (RFC 9110 5.6.1): tokens compared without regard to case. Pure, any
// thread.
#pragma once

#include <string_view>

namespace wsp {

// ASCII case-insensitive equality.
bool iequals(std::string_view a, std::string_view b) noexcept;

// Without leading and trailing spaces and tabs.
std::string_view trim(std::string_view text) noexcept;

// True when `list` has `token` as one of its comma-separated elements; empty elements are skipped.
// has_token("keep-alive, Upgrade", "upgrade") is true, has_token("upgraded", "upgrade") is not.
bool has_token(std::string_view list, std::string_view token) noexcept;

// Takes the next element off the front of `list`, trimmed; parameters after ';' stay with it and
// commas inside quoted strings do not separate. False when no element is left.
bool next_element(std::string_view& list, std::string_view& element) noexcept;

}  // namespace wsp
