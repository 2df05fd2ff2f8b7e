// Compares an Origin (RFC 6454 7) with the Host of a request. WebSocket servers do that before they answer 101 (RFC
// 6455 10.2). Pure; any thread.
#pragma once

#include <string_view>

namespace wsp {

enum class OriginCheck {
    unknown,                 // there is no Origin, or it has no host ("null")
    same_origin,             // the Origin is that of the Host that was sent to the server
    same_if_host_preserved,  // it is not, but it is that of the Host in the client's request
    cross_origin,            // the Origin is that of neither Host
};

// `host_sent` is the Host that the proxy has sent to the server. `host_asked` is the Host in the client's request.
// Hosts are compared without regard to case. A missing port is the default port of the Origin's scheme.
OriginCheck check_origin(std::string_view origin, std::string_view host_sent,
                         std::string_view host_asked) noexcept;

}  // namespace wsp
