// The rules of the opening handshake, in the order of handshake_errors.def.
#include "protocol/handshake.hpp"

#include "protocol/accept_key.hpp"
#include "protocol/frame_header.hpp"
#include "protocol/header_tokens.hpp"

namespace wsp {
namespace {

bool is_present(std::string_view value) {
    return value.data() != nullptr;
}

bool is_http_1_1_or_later(const RequestLine& line) {
    return line.http_major > 1 || (line.http_major == 1 && line.http_minor >= 1);
}

HandshakeError check_key(std::string_view key) {
    if (!is_present(key)) {
        return HandshakeError::no_key;
    }
    return is_valid_key(trim(key)) ? HandshakeError::none : HandshakeError::bad_key;
}

HandshakeError check_version(std::string_view version) {
    if (!is_present(version)) {
        return HandshakeError::no_version;
    }
    // A list of versions is refused: a client names the one version that it speaks.
    return trim(version) == "13" ? HandshakeError::none : HandshakeError::bad_version;
}

bool accept_matches(std::string_view key, std::string_view accept) {
    const std::string expected = accept_for_key(trim(key));
    return !expected.empty() && trim(accept) == expected;
}

bool is_offered_protocol(std::string_view offered, std::string_view chosen) {
    std::string_view element;
    while (next_element(offered, element)) {
        if (element == chosen) {
            return true;
        }
    }
    return false;
}

std::string_view extension_name(std::string_view element) {
    return trim(element.substr(0, element.find(';')));
}

bool is_offered_extension(std::string_view offered, std::string_view name) {
    std::string_view element;
    while (next_element(offered, element)) {
        if (!name.empty() && iequals(extension_name(element), name)) {
            return true;
        }
    }
    return false;
}

bool are_offered_extensions(std::string_view offered, std::string_view chosen) {
    std::string_view element;
    while (next_element(chosen, element)) {
        if (!is_offered_extension(offered, extension_name(element))) {
            return false;
        }
    }
    return true;
}

HandshakeError check_accept(const HeaderSource& request, const HeaderSource& response) {
    const std::string_view accept = response.get("Sec-WebSocket-Accept");
    if (!is_present(accept)) {
        return HandshakeError::backend_no_accept;
    }
    return accept_matches(request.get("Sec-WebSocket-Key"), accept)
               ? HandshakeError::none
               : HandshakeError::backend_bad_accept;
}

// RFC 6455 4.1 page 19, items 5 and 6: the server chooses nothing that the client has not offered.
HandshakeError check_choices(const HeaderSource& request, const HeaderSource& response) {
    const std::string_view protocol = response.get("Sec-WebSocket-Protocol");
    if (is_present(protocol) &&
        !is_offered_protocol(request.get("Sec-WebSocket-Protocol"), trim(protocol))) {
        return HandshakeError::backend_bad_protocol;
    }
    if (!are_offered_extensions(request.get("Sec-WebSocket-Extensions"),
                                response.get("Sec-WebSocket-Extensions"))) {
        return HandshakeError::backend_bad_extension;
    }
    return HandshakeError::none;
}

std::uint8_t rsv_bits_of(std::string_view name) {
    return iequals(name, "permessage-deflate") ? kRsv1 : kAllRsv;  // RFC 7692 6
}

}  // namespace

bool wants_websocket(const HeaderSource& headers) noexcept {
    return has_token(headers.get("Upgrade"), "websocket");
}

HandshakeError check_request(const RequestLine& line, const HeaderSource& headers) noexcept {
    if (!wants_websocket(headers)) {  // RFC 6455 4.2.1 item 3
        return HandshakeError::not_an_upgrade;
    }
    if (line.method != "GET") {  // RFC 6455 4.2.1 item 1
        return HandshakeError::method_not_get;
    }
    if (!is_http_1_1_or_later(line)) {  // RFC 6455 4.2.1 item 1
        return HandshakeError::http_version;
    }
    if (trim(headers.get("Host")).empty()) {  // RFC 6455 4.2.1 item 2
        return HandshakeError::no_host;
    }
    if (line.has_body) {  // RFC 9112 6: the bytes that follow would be the body, not frames
        return HandshakeError::has_body;
    }
    if (!has_token(headers.get("Connection"), "upgrade")) {  // RFC 6455 4.2.1 item 4
        return HandshakeError::no_connection_upgrade;
    }
    // RFC 6455 4.2.1 item 5
    const HandshakeError key = check_key(headers.get("Sec-WebSocket-Key"));
    if (key != HandshakeError::none) {
        return key;
    }
    return check_version(headers.get("Sec-WebSocket-Version"));  // RFC 6455 4.2.1 item 6
}

// RFC 6455 4.1 page 19: how the client checks the server's response.
HandshakeError check_response(const HeaderSource& request, int status,
                              const HeaderSource& response) {
    if (status != 101) {  // item 1
        return HandshakeError::backend_not_switching;
    }
    if (!iequals(trim(response.get("Upgrade")), "websocket")) {  // item 2: the value is no list
        return HandshakeError::backend_no_upgrade;
    }
    if (!has_token(response.get("Connection"), "upgrade")) {  // item 3
        return HandshakeError::backend_no_connection;
    }
    const HandshakeError accept = check_accept(request, response);  // item 4
    if (accept != HandshakeError::none) {
        return accept;
    }
    return check_choices(request, response);
}

std::uint8_t rsv_bits_of_extensions(std::string_view extensions) noexcept {
    std::uint8_t bits = 0;
    std::string_view element;
    while (next_element(extensions, element)) {
        bits |= rsv_bits_of(extension_name(element));
    }
    return bits;
}

}  // namespace wsp
