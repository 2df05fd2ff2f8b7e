// Goes through text character by character; each format says which characters it cannot show as they are.
#include "exposition/text.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "protocol/utf8.hpp"

namespace wsp {
namespace {

bool is_control(std::string_view character) noexcept {
    return character.size() == 1 &&
           (static_cast<unsigned char>(character[0]) < 0x20 || character[0] == 0x7F);
}

// `escape` returns what stands for a character of one byte; empty: the character itself.
template <class Escape>
void append_escaped(std::string& out, std::string_view text, Escape escape) {
    while (!text.empty()) {
        const std::string_view character = take_character(text);
        const std::string_view instead =
            character.size() == 1 ? escape(character[0]) : std::string_view();
        out += instead.empty() ? character : instead;
    }
}

bool begins_formula(std::string_view text) noexcept {
    // With the wide forms, which some spreadsheets take for the narrow ones: U+FF1D, U+FF0B, U+FF0D, U+FF20.
    static constexpr std::string_view kBeginnings[] = {"=",
                                                       "+",
                                                       "-",
                                                       "@",
                                                       "\t",
                                                       "\r",
                                                       "\n",
                                                       "\xEF\xBC\x9D",
                                                       "\xEF\xBC\x8B",
                                                       "\xEF\xBC\x8D",
                                                       "\xEF\xBC\xA0"};
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    return std::any_of(std::begin(kBeginnings), std::end(kBeginnings), [text](auto beginning) {
        return text.substr(0, beginning.size()) == beginning;
    });
}

}  // namespace

std::string_view take_character(std::string_view& text) noexcept {
    const std::size_t size = size_of_character(text);
    const std::string_view character = text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
    return size == 0 ? kReplacement : character;
}

void append_seconds(std::string& out, DurationUs time) {
    if (time < 0) {
        time = 0;
    }
    append_number(out, time / kSecond);
    DurationUs rest = time % kSecond;
    if (rest == 0) {
        return;
    }
    out += '.';
    for (DurationUs digit = kSecond / 10; rest != 0; digit /= 10) {
        out += static_cast<char>('0' + rest / digit);
        rest %= digit;
    }
}

void append_html(std::string& out, std::string_view text) {
    append_escaped(out, text, [](char c) -> std::string_view {
        switch (c) {
            case '&':
                return "&amp;";
            case '<':
                return "&lt;";
            case '>':
                return "&gt;";
            case '"':
                return "&quot;";
            case '\'':
                return "&#39;";
            case '\t':
            case '\n':
                return {};
            // HTML has no way to write other control characters.
            default:
                return is_control({&c, 1}) ? kReplacement : std::string_view();
        }
    });
}

void append_json(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const std::string_view character = take_character(text);
        if (is_control(character)) {
            append_hex(out += "\\u00", static_cast<unsigned char>(character[0]));
            continue;
        }
        if (character == "\"" || character == "\\") {
            out += '\\';
        }
        out += character;
    }
    out += '"';
}

void append_label(std::string& out, std::string_view text) {
    append_escaped(out, text, [](char c) -> std::string_view {
        switch (c) {
            case '\\':
                return "\\\\";
            case '"':
                return "\\\"";
            case '\n':
                return "\\n";
            case '\0':
                return kReplacement;
            default:
                return {};
        }
    });
}

void append_csv(std::string& out, std::string_view text) {
    const bool formula = begins_formula(text);
    const bool quoted = formula || text.find_first_of(",\"\r\n") != std::string_view::npos;
    out += quoted ? "\"" : "";
    out += formula ? "'" : "";
    append_escaped(out, text, [](char c) -> std::string_view {
        if (c == '"') {
            return "\"\"";
        }
        // RFC 4180 2: no other control characters than these two.
        return is_control({&c, 1}) && c != '\r' && c != '\n' ? kReplacement : std::string_view();
    });
    out += quoted ? "\"" : "";
}

void append_query(std::string& out, std::string_view text) {
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            out += c;
        } else {
            append_hex(out += '%', static_cast<unsigned char>(c));
        }
    }
}

}  // namespace wsp
