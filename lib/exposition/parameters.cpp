// Takes queries apart.
#include "exposition/parameters.hpp"

#include "protocol/clean_text.hpp"

namespace wsp {
namespace {

int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

bool take_parameter(std::string_view& query, Parameter& to) {
    std::string_view pair;
    while (pair.empty()) {
        if (query.empty()) {
            return false;
        }
        const std::size_t end = query.find('&');
        pair = query.substr(0, end);
        query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    }
    const std::size_t equals = pair.find('=');
    to.has_value = equals != std::string_view::npos;
    to.name = decode_query(pair.substr(0, equals));
    to.value = to.has_value ? decode_query(pair.substr(equals + 1)) : std::string();
    return true;
}

std::string decode_query(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
        if (low >= 0) {
            out += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            out += text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

std::string not_known(std::string_view name, std::string_view value, std::string_view allowed) {
    constexpr std::size_t kMostShown = 100;
    return std::string(name)
        .append("=")
        .append(clean_text(value, kMostShown))
        .append(" is not known here: ")
        .append(name)
        .append(" takes ")
        .append(allowed);
}

}  // namespace wsp
