// Bytes from hexadecimal digits, as RFCs print them.
#pragma once

#include <cctype>
#include <string>

namespace wsp::test {

// Anything that is no digit stands between bytes.
inline std::string from_hex(const std::string& text) {
    std::string bytes;
    std::string digits;
    for (const char c : text) {
        if (std::isxdigit(static_cast<unsigned char>(c)) != 0) {
            digits += c;
        }
        if (digits.size() == 2) {
            bytes += static_cast<char>(std::stoi(digits, nullptr, 16));
            digits.clear();
        }
    }
    return bytes;
}

}  // namespace wsp::test
