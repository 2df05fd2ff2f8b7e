// The terms of one tunnel: everything that its configuration and its handshake decide. Resolved once, when the
// handshake is done, and passed on as one value. May be copied.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.hpp"
#include "tunnel/policy.hpp"
#include "tunnel/report.hpp"
#include "tunnel/tunnel_group.hpp"

namespace wsp {

// How long a tunnel may live, and the end reason when that time is over.
struct Lifetime {
    Lifetime(DurationUs time = 0, EndReason why = EndReason::lifetime) : span(time), reason(why) {}
    DurationUs span;  // 0: no limit
    EndReason reason;
};

struct TunnelTerms {
    // One object for all tunnels with the same configuration.
    std::shared_ptr<const Policy> policy;
    Lifetime lifetime;
    std::uint8_t allowed_rsv = 0;  // see ScanRules
    bool raw = false;              // another protocol than WebSocket, so there are no frames
    // The last question of the survey that is older than the handshake (SurveyPage::number). Orders that are newer
    // apply to the tunnel.
    std::uint32_t surveyed = 0;
    // The tunnel ends when this group is drained.
    TunnelGroup::Subscription group{};
};

}  // namespace wsp
