// On what terms one tunnel runs: resolved once, when its handshake is done, and carried whole by everybody who has the tunnel.
// A value; whoever holds it may copy it.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.hpp"
#include "tunnel/policy.hpp"
#include "tunnel/report.hpp"
#include "tunnel/tunnel_group.hpp"

namespace wsp {

// How long a tunnel may live, and why no longer.
struct Lifetime {
    Lifetime(DurationUs time = 0, EndReason why = EndReason::lifetime) : span(time), reason(why) {}
    DurationUs span;  // 0: no limit
    EndReason reason;
};

struct TunnelTerms {
    std::shared_ptr<const Policy> policy;  // one object for all tunnels that it applies to
    Lifetime lifetime;
    std::uint8_t allowed_rsv = 0;       // see ScanRules
    bool raw = false;                   // another protocol than WebSocket: no frames
    TunnelGroup::Subscription group{};  // whose end is the tunnel's too
};

}  // namespace wsp
