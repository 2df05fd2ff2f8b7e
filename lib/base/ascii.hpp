// Characters of protocols and configurations: std::tolower and printf would ask the locale. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace wsp {

constexpr char lower_ascii(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Of the lowest four bits.
constexpr char hex_digit(std::uint64_t value) noexcept {
    return "0123456789abcdef"[value & 15];
}

inline void append_hex(std::string& out, unsigned char byte) {
    out += hex_digit(byte >> 4);
    out += hex_digit(byte);
}

}  // namespace wsp
