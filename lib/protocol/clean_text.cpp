// Goes through the text character by character.
#include "protocol/clean_text.hpp"

#include <cstdint>

#include "protocol/utf8.hpp"

namespace wsp {
namespace {

// C0, DEL, and C1: U+0080 to U+009F.
bool is_control_character(std::string_view character) {
    const auto first = static_cast<std::uint8_t>(character[0]);
    return first < 0x20 || first == 0x7F ||
           (first == 0xC2 && static_cast<std::uint8_t>(character[1]) < 0xA0);
}

}  // namespace

std::string clean_text(std::string_view text, std::size_t most) {
    std::string clean;
    while (!text.empty()) {
        const std::size_t size = size_of_character(text);
        std::string_view shown = text.substr(0, size);
        if (size == 0) {
            shown = "?";
        } else if (is_control_character(shown)) {
            shown = " ";
        }
        text.remove_prefix(size == 0 ? 1 : size);
        if (clean.empty() && shown == " ") {
            continue;
        }
        if (clean.size() + shown.size() > most) {
            break;
        }
        clean += shown;
    }
    clean.erase(clean.find_last_not_of(' ') + 1);
    return clean;
}

}  // namespace wsp
