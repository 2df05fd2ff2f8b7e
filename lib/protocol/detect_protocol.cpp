// A TLS record begins with its type and version (RFC 8446 5.1), an HTTP/1.x response with "HTTP/".
#include "protocol/detect_protocol.hpp"

#include <algorithm>

namespace wsp {
namespace {

bool is_record_type(char byte) {
    return byte >= 20 && byte <= 24;
}

}  // namespace

DetectedProtocol detect_protocol(std::string_view first_bytes) noexcept {
    static constexpr std::string_view kHttp = "HTTP/";
    static_assert(kHttp.size() == kDetectBytes);
    if (first_bytes.size() >= 2 && is_record_type(first_bytes[0]) && first_bytes[1] == 3) {
        return DetectedProtocol::tls;
    }
    if (first_bytes.substr(0, kHttp.size()) == kHttp) {
        return DetectedProtocol::http;
    }
    const bool may_become_http = kHttp.substr(0, first_bytes.size()) == first_bytes;
    const bool may_become_tls = first_bytes.size() == 1 && is_record_type(first_bytes[0]);
    return may_become_http || may_become_tls ? DetectedProtocol::unknown : DetectedProtocol::other;
}

bool body_asks_for_tls(std::string_view body) noexcept {
    static constexpr std::string_view kWords[] = {
        "plain HTTP request was sent to HTTPS port",          // nginx
        "speaking plain HTTP to an SSL-enabled server port",  // Apache httpd
        "Client sent an HTTP request to an HTTPS server",     // Go, and so Caddy and Traefik
        "This combination of host and port requires TLS",     // Tomcat
    };
    return std::any_of(std::begin(kWords), std::end(kWords), [body](std::string_view words) {
        return body.find(words) != std::string_view::npos;
    });
}

}  // namespace wsp
