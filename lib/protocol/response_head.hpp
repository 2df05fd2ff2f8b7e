// Parses the status line and the header fields of an HTTP/1.x response (RFC 9112 4, 5). Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace wsp {

struct HeaderField {
    std::string_view name;
    std::string_view value;  // without surrounding white space
};

// Holds views into the parsed text: valid as long as that text.
struct ResponseHead {
    int http_major = 0;
    int http_minor = 0;
    int status = 0;
    std::string_view reason;
    std::vector<HeaderField> fields;
    int ignored_lines = 0;  // lines that are no header fields and were ignored
};

// What to do with a line that is no header field. The names are those of httpd's ProxyBadHeader.
enum class BadHeader : std::uint8_t {
    is_error,   // the head is refused
    ignore,     // the line is treated as if it had not been sent
    start_body  // the body begins with the line: the server has forgotten the empty line before it
};

enum class LineKind : std::uint8_t {
    field,         // a name and a colon; the value is not checked
    continuation,  // continues the line before (RFC 9112 5.2): never accepted
    status,        // a second status line, which some servers send: always ignored
    other
};

enum class HeadFault {
    none,
    not_http,   // the first line is not "HTTP/1.x NNN [reason]"
    bad_field,  // a line is no header field, see LineKind
    bad_octet,  // NUL or another control character in a value
};

// Classifies a line after the status line. `line` has no line end.
LineKind kind_of_line(std::string_view line) noexcept;

// Parses `text`, a complete head with or without its empty line. Lines end with CRLF or LF. May throw bad_alloc. When
// the result is not `none`, only the status line of `head` may be valid, and it is not when the status is 0. start_body
// has the effect of is_error here: the caller has to find the body.
HeadFault parse_response_head(std::string_view text, ResponseHead& head,
                              BadHeader bad_header = BadHeader::is_error);

}  // namespace wsp
