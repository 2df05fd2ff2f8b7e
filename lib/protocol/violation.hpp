// The rules that a peer can break in an open tunnel. The rows are in violations.def. Pure: no I/O, no allocation, any
// thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace wsp {

enum class Violation : std::uint8_t {
#define WSP_VIOLATION(name, close_code, text, close_reason) name,
#include "protocol/violations.def"
#undef WSP_VIOLATION
};

// The close code for the peer that broke the rule (RFC 6455 7.4.1); 1000 for Violation::none.
std::uint16_t close_code_of(Violation error) noexcept;

// A text that names the rule, for the log. Static: valid for ever.
std::string_view text_of(Violation error) noexcept;
// The reason in the Close to the peer that broke the rule.
std::string_view close_reason_of(Violation error) noexcept;

// The name of the enumerator, for logs and tests.
std::string_view name_of(Violation error) noexcept;

}  // namespace wsp
