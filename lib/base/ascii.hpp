// Letters as protocols and configurations compare them: std::tolower would depend on the locale. Pure.
#pragma once

namespace wsp {

constexpr char lower_ascii(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace wsp
