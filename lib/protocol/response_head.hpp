// The status line and header fields of an HTTP/1.x response (RFC 9112 4, 5), taken apart. Pure, any
// thread.
#pragma once

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
};

enum class HeadFault {
    none,
    not_http,   // the first line is not "HTTP/1.x NNN [reason]"
    bad_field,  // a line without a colon, white space before the colon, a bad name, a continuation
                // line
    bad_octet,  // NUL or another control character in a value
};

const char* text_of(HeadFault fault) noexcept;

// Takes apart `text`, a whole head with or without its empty line; lines end in CRLF or LF. May
// allocate (bad_alloc). `head` is meaningful only when the result is `none`.
HeadFault parse_response_head(std::string_view text, ResponseHead& head);

}  // namespace wsp
