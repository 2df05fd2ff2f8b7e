// The columns of violations.def as functions.
#include "protocol/violation.hpp"

namespace wsp {
namespace {

struct Row {
    std::string_view name;
    std::uint16_t close_code;
    std::string_view text;
    std::string_view close_reason;
};

constexpr Row kRows[] = {
#define WSP_VIOLATION(name, close_code, text, close_reason) {#name, close_code, text, close_reason},
#include "protocol/violations.def"
#undef WSP_VIOLATION
};

const Row& row_of(Violation error) {
    return kRows[static_cast<std::size_t>(error)];
}

}  // namespace

std::uint16_t close_code_of(Violation error) noexcept {
    return row_of(error).close_code;
}

std::string_view text_of(Violation error) noexcept {
    return row_of(error).text;
}

std::string_view close_reason_of(Violation error) noexcept {
    const Row& row = row_of(error);
    return row.close_reason.empty() ? row.text : row.close_reason;
}

std::string_view name_of(Violation error) noexcept {
    return row_of(error).name;
}

}  // namespace wsp
