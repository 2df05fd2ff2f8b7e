// Splits authorities into host and port and compares them.
#include "protocol/origin_check.hpp"

#include "protocol/header_tokens.hpp"

namespace wsp {
namespace {

struct Authority {
    std::string_view host;
    std::string_view port;
};

// Handles "[::1]:80" as well. The port is empty when there is none.
Authority authority_of(std::string_view text) {
    const std::size_t bracket = text.find(']');
    const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
    if (colon == std::string_view::npos) {
        return {text, {}};
    }
    return {text.substr(0, colon), text.substr(colon + 1)};
}

std::string_view default_port_of(std::string_view scheme) {
    return iequals(scheme, "https") || iequals(scheme, "wss") ? "443" : "80";
}

bool are_same(Authority a, Authority b, std::string_view default_port) {
    return iequals(a.host, b.host) &&
           (a.port.empty() ? default_port : a.port) == (b.port.empty() ? default_port : b.port);
}

}  // namespace

OriginCheck check_origin(std::string_view origin, std::string_view host_sent,
                         std::string_view host_asked) noexcept {
    static constexpr std::string_view kSeparator = "://";
    const std::string_view whole = trim(origin);
    const std::size_t end = whole.find(kSeparator);
    if (end == std::string_view::npos || end + kSeparator.size() == whole.size()) {
        return OriginCheck::unknown;
    }
    const Authority authority = authority_of(whole.substr(end + kSeparator.size()));
    const std::string_view port = default_port_of(whole.substr(0, end));
    if (are_same(authority, authority_of(trim(host_sent)), port)) {
        return OriginCheck::same_origin;
    }
    return are_same(authority, authority_of(trim(host_asked)), port)
               ? OriginCheck::same_if_host_preserved
               : OriginCheck::cross_origin;
}

}  // namespace wsp
