// Parses a response head (RFC 9112). It is strict where tolerance has been used for response smuggling.
#include "protocol/response_head.hpp"

#include <algorithm>

#include "protocol/header_tokens.hpp"

namespace wsp {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// RFC 9110 5.6.2: tchar.
bool is_token_char(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// RFC 9110 5.5: a field value contains no control characters except the tab.
bool is_bad_octet(char c) {
    const auto octet = static_cast<unsigned char>(c);
    return (octet < 0x20 && c != '\t') || octet == 0x7f;
}

bool next_line(std::string_view& text, std::string_view& line) {
    if (text.empty()) {
        return false;
    }
    const std::size_t end = text.find('\n');
    line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line.empty() && line.back() == '\r') {
        line.remove_suffix(1);
    }
    return true;
}

// Reads "HTTP/1.1 101 Switching Protocols". The reason, and the space before it, may be missing.
bool parse_status_line(std::string_view line, ResponseHead& head) {
    if (line.size() < 12 || line.substr(0, 5) != "HTTP/" || !is_digit(line[5]) || line[6] != '.' ||
        !is_digit(line[7]) || line[8] != ' ' ||
        !std::all_of(line.begin() + 9, line.begin() + 12, is_digit)) {
        return false;
    }
    if (line.size() > 12 && line[12] != ' ') {
        return false;
    }
    head.http_major = line[5] - '0';
    head.http_minor = line[7] - '0';
    head.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    head.reason = trim(line.substr(12));
    return head.http_major == 1 && head.status >= 100;
}

HeadFault parse_field(std::string_view line, HeaderField& field) {
    const std::size_t colon = line.find(':');
    field.name = line.substr(0, colon);
    field.value = trim(line.substr(colon + 1));
    return std::any_of(field.value.begin(), field.value.end(), is_bad_octet) ? HeadFault::bad_octet
                                                                             : HeadFault::none;
}

}  // namespace

LineKind kind_of_line(std::string_view line) noexcept {
    if (line.empty() || line.front() == ' ' || line.front() == '\t') {
        return LineKind::continuation;
    }
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    if (colon != std::string_view::npos && colon > 0 &&
        std::all_of(name.begin(), name.end(), is_token_char)) {
        return LineKind::field;
    }
    ResponseHead unused;
    return parse_status_line(line, unused) ? LineKind::status : LineKind::other;
}

HeadFault parse_response_head(std::string_view text, ResponseHead& head, BadHeader bad_header) {
    std::string_view line;
    head = ResponseHead();
    if (!next_line(text, line) || !parse_status_line(line, head)) {
        head = ResponseHead();
        return HeadFault::not_http;
    }
    while (next_line(text, line) && !line.empty()) {
        const LineKind kind = kind_of_line(line);
        if (kind == LineKind::status ||
            (kind == LineKind::other && bad_header == BadHeader::ignore)) {
            ++head.ignored_lines;
            continue;
        }
        if (kind != LineKind::field) {
            return HeadFault::bad_field;
        }
        HeaderField field;
        const HeadFault fault = parse_field(line, field);
        if (fault != HeadFault::none) {
            return fault;
        }
        head.fields.push_back(field);
    }
    return HeadFault::none;
}

}  // namespace wsp
