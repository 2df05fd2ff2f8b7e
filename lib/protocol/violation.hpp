// What a peer did wrong once a tunnel is open, as a value. The rows are in violations.def.
// Pure: no I/O, no allocation, any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace wsp {

enum class Violation : std::uint8_t {
#define WSP_VIOLATION(name, close_code, text, close_reason) name,
#include "protocol/violations.def"
#undef WSP_VIOLATION
};

// The close code to send to the offender (RFC 6455 7.4.1); 1000 for Violation::none.
std::uint16_t close_code_of(Violation error) noexcept;

// One sentence that names the rule, from a static table: valid for ever.
std::string_view text_of(Violation error) noexcept;
// What a Close says of it to a peer.
std::string_view close_reason_of(Violation error) noexcept;

// The enumerator's name, for logs and tests.
std::string_view name_of(Violation error) noexcept;

}  // namespace wsp
