// Splits and compares comma-separated header values.
#include "protocol/header_tokens.hpp"

#include <algorithm>

#include "base/ascii.hpp"

namespace wsp {
namespace {

// Where the first element of `list` ends: at a comma outside of quoted strings, or at the end of the list.
std::size_t element_end(std::string_view list) {
    bool quoted = false;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (list[i] == '"') {
            quoted = !quoted;
        } else if (quoted && list[i] == '\\') {
            ++i;  // RFC 9110 5.6.4: a quoted-pair; its second character has no special meaning
        } else if (!quoted && list[i] == ',') {
            return i;
        }
    }
    return list.size();
}

}  // namespace

bool iequals(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower_ascii(x) == lower_ascii(y); });
}

std::string_view trim(std::string_view text) noexcept {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool has_token(std::string_view list, std::string_view token) noexcept {
    std::string_view element;
    while (next_element(list, element)) {
        if (iequals(element, token)) {
            return true;
        }
    }
    return false;
}

bool next_element(std::string_view& list, std::string_view& element) noexcept {
    while (!list.empty()) {
        const std::size_t end = element_end(list);
        element = trim(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
        // RFC 9110 5.6.1.2: a recipient ignores empty elements.
        if (!element.empty()) {
            return true;
        }
    }
    return false;
}

}  // namespace wsp
