// Checks the opening handshake of both sides (RFC 6455 4.1, 4.2). Pure functions over views of headers: no I/O, any
// thread. The views need to be valid only during the call.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/table.hpp"
#include "protocol/refusal_row.hpp"

namespace wsp {

enum class HandshakeError : std::uint8_t {
#define WSP_ROW(name, ...) name,
#include "protocol/handshake_errors.def"
};

template <>
struct Table<HandshakeError> {
    using Row = RefusalRow;
    static constexpr Row kRows[] = {
#define WSP_ROW WSP_REFUSAL_ROW
#include "protocol/handshake_errors.def"
    };
};

// Looks up headers by name, without regard to case. The values of several fields with one name are joined with ", " in
// their order, as RFC 9110 5.3 allows. Implemented by the module (over apr_table_t) and by tests.
class HeaderSource {
  public:
    virtual ~HeaderSource() = default;
    // Returns the value, which need not be trimmed. Returns a view with data() == nullptr when there is no such header.
    virtual std::string_view get(std::string_view name) const noexcept = 0;
};

struct RequestLine {
    std::string_view method;
    int http_major = 1;
    int http_minor = 1;
    bool has_body = false;  // a Content-Length other than 0 or any Transfer-Encoding
};

// True when the Upgrade header lists "websocket" (in any case, RFC 6455 4.2.1 item 3). The request then asks for a
// tunnel, whether the rest of its handshake is right or not.
bool wants_websocket(const HeaderSource& headers) noexcept;

// Checks the client's handshake as a server does (RFC 6455 4.2.1). Returns the first rule that is broken, in the order
// of handshake_errors.def, or none.
HandshakeError check_request(const RequestLine& line, const HeaderSource& headers) noexcept;

// Checks the server's handshake as a client does (RFC 6455 4.1, page 19): the status 101; Upgrade; Connection;
// Sec-WebSocket-Accept for the key in `request`; a Sec-WebSocket-Protocol that is exactly one of those offered (case
// counts, RFC 6455 4.1 item 6); Sec-WebSocket-Extensions whose names were all offered. May throw bad_alloc.
HandshakeError check_response(const HeaderSource& request, int status,
                              const HeaderSource& response);

// Returns the RSV bits that the extensions in a Sec-WebSocket-Extensions response header may use. RSV1 (value 4) for
// permessage-deflate (RFC 7692 6). All three bits for an extension that is not known here, since its rules are not
// known either. 0 when there are no extensions.
std::uint8_t rsv_bits_of_extensions(std::string_view extensions) noexcept;

}  // namespace wsp
