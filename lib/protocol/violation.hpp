// The rules that a peer can break in an open tunnel. The rows are in violations.def. Pure: no I/O, no allocation, any
// thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/table.hpp"

namespace wsp {

enum class Violation : std::uint8_t {
#define WSP_ROW(name, ...) name,
#include "protocol/violations.def"
};

template <>
struct Table<Violation> {
    struct Row {
        std::string_view name;
        std::uint16_t close_code;
        std::string_view text;
        std::string_view close_reason;
    };
    static constexpr Row kRows[] = {
#define WSP_ROW(name, close_code, text, close_reason) {#name, close_code, text, close_reason},
#include "protocol/violations.def"
    };
};

// The close code for the peer that broke the rule (RFC 6455 7.4.1); 1000 for Violation::none.
constexpr std::uint16_t close_code_of(Violation violation) noexcept {
    return row_of(violation).close_code;
}

// The reason in the Close to the peer that broke the rule.
constexpr std::string_view close_reason_of(Violation violation) noexcept {
    const auto& row = row_of(violation);
    return row.close_reason.empty() ? row.text : row.close_reason;
}

}  // namespace wsp
