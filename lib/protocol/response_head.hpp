// The status line and header fields of an HTTP/1.x response (RFC 9112 4, 5), taken apart. Pure, any
// thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace wsp {

struct HeaderField {
    std::string_view name;
    std::string_view value;  // without surrounding white space
};

// Views into the text that was parsed: valid as long as that text is.
struct ResponseHead {
    int http_major = 0;
    int http_minor = 0;
    int status = 0;
    std::string_view reason;
    std::vector<HeaderField> fields;
    int ignored_lines = 0;  // lines that are no fields, and were passed over
};

// What to make of a line of a head that is no header field.
enum class BadHeader : std::uint8_t {
    is_error,   // the head is no good
    ignore,     // as if it had not been sent
    start_body  // the body begins with it: the empty line before it was forgotten
};

enum class LineKind : std::uint8_t {
    field,         // a name and a colon; what the value is nobody has looked at
    continuation,  // of the line before (RFC 9112 5.2): never accepted
    status,        // another status line, as some servers put it there: always left out
    other
};

enum class HeadFault {
    none,
    not_http,   // the first line is not "HTTP/1.x NNN [reason]"
    bad_field,  // a line that is no field, see LineKind
    bad_octet,  // NUL or another control character in a value
};

const char* text_of(HeadFault fault) noexcept;

// Of a line behind the first, without its end.
LineKind kind_of_line(std::string_view line) noexcept;

// Takes apart `text`, a whole head with or without its empty line; lines end in CRLF or LF. May
// allocate (bad_alloc). With another result than `none` only the status line may be meaningful: with a status of 0 it is not.
// A body is for the reader to find: start_body is `is_error` here.
HeadFault parse_response_head(std::string_view text, ResponseHead& head,
                              BadHeader bad_header = BadHeader::is_error);

}  // namespace wsp
