// The opening handshake, judged on both sides (RFC 6455 4.1, 4.2). Pure functions over views of
// headers: no I/O, any thread. All views must stay valid for the duration of the call only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wsp {

enum class HandshakeError : std::uint8_t {
#define WSP_HANDSHAKE_ERROR(name, http_status, text) name,
#include "protocol/handshake_errors.def"
#undef WSP_HANDSHAKE_ERROR
};

int http_status_of(HandshakeError error) noexcept;
std::string_view text_of(HandshakeError error) noexcept;

// Looks headers up by name, case-insensitively. Several fields of one name are joined with ", " in
// order, as RFC 9110 5.3 allows. Implemented by the host (httpd's apr_table_t) and by tests.
class HeaderSource {
  public:
    virtual ~HeaderSource() = default;
    // The value, trimmed or not; an empty view with data() == nullptr when there is no such header.
    virtual std::string_view get(std::string_view name) const noexcept = 0;
};

struct RequestLine {
    std::string_view method;
    int http_major = 1;
    int http_minor = 1;
    bool has_body = false;  // a Content-Length other than 0 or any Transfer-Encoding
};

// True when the Upgrade header lists "websocket" (any case, RFC 6455 4.2.1 item 3): the request
// wants a tunnel, whether or not the rest of its handshake is right.
bool wants_websocket(const HeaderSource& headers) noexcept;

// The server's reading of the client's opening handshake, RFC 6455 4.2.1. The first rule that is
// broken, in the order of handshake_errors.def; none when all hold.
HandshakeError check_request(const RequestLine& line, const HeaderSource& headers) noexcept;

// The client's reading of the server's opening handshake, RFC 6455 4.1 (page 19), for a response of
// status 101: Upgrade, Connection, Sec-WebSocket-Accept for the key in `request`, a
// Sec-WebSocket-Protocol that is exactly one of those offered (compared with case, as RFC 6455 4.1
// item 6 demands), Sec-WebSocket-Extensions whose names were all offered. May allocate (bad_alloc).
HandshakeError check_response(const HeaderSource& request, int status,
                              const HeaderSource& response);

// The RSV bits that the extensions in a response's Sec-WebSocket-Extensions may use: RSV1 (bit 2,
// value 4) for permessage-deflate (RFC 7692 6); all three for an extension that is not known here,
// since its rules are not known either; 0 for none.
std::uint8_t rsv_bits_of_extensions(std::string_view extensions) noexcept;

}  // namespace wsp
