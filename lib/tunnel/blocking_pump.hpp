// One tunnel on the calling thread, for where a connection cannot leave httpd: HTTP/2 streams,
// foreign filters, ProxyWebsocketAsync Off. The same tunnel code as the pump's, with poll(2) on two
// streams.
#pragma once

#include "base/clock.hpp"
#include "tunnel/close_plan.hpp"
#include "tunnel/tunnel.hpp"

namespace wsp {

// Asked once a second whether a tunnel's group is to end, as close_group() ends it elsewhere.
class GroupWatch {
  public:
    virtual ~GroupWatch() = default;
    // True, once, when it is: `plan` says how. May not block.
    virtual bool ended(ClosePlan& plan) noexcept = 0;
};

// What tells a blocking pump that its process is to end. Nobody reads from the descriptors, so that
// one byte, or one signal, tells many. -1: none.
struct StopSignals {
    int drain_fd = -1;                                   // readable: end as `drain_plan` says
    int stop_fd = -1;                                    // readable: end now
    ClosePlan (*drain_plan)(MonotonicUs now) = nullptr;  // only without drain_fd
    GroupWatch* group = nullptr;                         // the caller's; null: none
};

// Drives `tunnel` until it is done, then tells its observer. Blocks for that long.
void run_blocking(Tunnel& tunnel, StopSignals stop) noexcept;

}  // namespace wsp
