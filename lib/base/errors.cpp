// The columns of errors.def as lookup functions.
#include "base/errors.hpp"

namespace wsp {
namespace {

struct Row {
    std::string_view name;
    std::uint16_t close_code;
    std::string_view text;
    std::string_view told;
};

constexpr Row kRows[] = {
#define WSP_ERROR(name, close_code, text, told) {#name, close_code, text, told},
#include "base/errors.def"
#undef WSP_ERROR
};

const Row& row_of(Errc error) {
    return kRows[static_cast<std::size_t>(error)];
}

}  // namespace

std::uint16_t close_code_of(Errc error) noexcept {
    return row_of(error).close_code;
}

std::string_view text_of(Errc error) noexcept {
    return row_of(error).text;
}

std::string_view told_of(Errc error) noexcept {
    return row_of(error).told;
}

std::string_view name_of(Errc error) noexcept {
    return row_of(error).name;
}

}  // namespace wsp
