// The columns of end_reasons.def as lookup functions.
#include "tunnel/report.hpp"

namespace wsp {
namespace {

struct Row {
    std::string_view name;
    std::string_view closed_by;
    std::string_view text;
    std::string_view close_reason;
};

constexpr Row kRows[] = {
#define WSP_END_REASON(name, closed_by, text, close_reason) {#name, closed_by, text, close_reason},
#include "tunnel/end_reasons.def"
#undef WSP_END_REASON
};

const Row& row_of(EndReason reason) {
    return kRows[static_cast<std::size_t>(reason)];
}

}  // namespace

std::string_view closed_by(EndReason reason) noexcept {
    return row_of(reason).closed_by;
}

std::string_view text_of(EndReason reason) noexcept {
    return row_of(reason).text;
}

std::string_view close_reason_of(EndReason reason) noexcept {
    return row_of(reason).close_reason;
}

std::string_view name_of(EndReason reason) noexcept {
    return row_of(reason).name;
}

}  // namespace wsp
