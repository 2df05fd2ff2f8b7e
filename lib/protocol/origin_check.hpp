// Whether an Origin (RFC 6454 7) is that of the Host that a server is asked for: what WebSocket servers look at before they say
// 101 (RFC 6455 10.2). Pure; any thread.
#pragma once

#include <string_view>

namespace wsp {

enum class OriginCheck {
    unknown,                 // no Origin, or none with a host ("null")
    same_origin,             // it is that of the Host that was sent
    same_if_host_preserved,  // it is not, but it is that of the Host that the client asked for
    cross_origin,            // it is neither's
};

// `host_sent`: the Host that the server was sent; `host_asked`: the one in the client's request. Hosts are compared without
// regard to case; a port that is missing is the default one of the Origin's scheme.
OriginCheck check_origin(std::string_view origin, std::string_view host_sent,
                         std::string_view host_asked) noexcept;

}  // namespace wsp
