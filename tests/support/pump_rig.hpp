// A running pump for a test, which ends it whatever the test has left in it.
#pragma once

#include <stdexcept>

#include "protocol/close_code.hpp"
#include "support/socket_tunnel.hpp"
#include "tunnel/pump.hpp"

namespace wsp::test {

class PumpRig {
  public:
    PumpRig() {
        if (!pump.start())
            throw std::runtime_error("the pump does not start");
    }
    ~PumpRig() {
        close_all(0);
        join();
    }

    // A tunnel in the pump's hands.
    Ends open(bool tcp = false, const Policy& policy = {}, const std::string& early = {}) {
        return adopt(make_socket_tunnel(board, tcp, policy, early));
    }
    Ends open_in(const TunnelGroup& group) {
        return adopt(make_socket_tunnel(board, false, {}, {}, group.subscribe()));
    }
    Ends adopt(SocketTunnel made) {
        if (!pump.adopt(made.tunnel))
            throw std::runtime_error("the pump does not adopt");
        return std::move(made.ends);
    }

    void close_all(DurationUs patience, EndReason reason = EndReason::shutdown) {
        pump.close_all(ClosePlan::at_once(reason, monotonic_now(), patience));
    }
    bool join() { return pump.join(kPatienceMs * kMillisecond); }

    EndBoard board;  // outlives the pump
    Pump pump;
};

}  // namespace wsp::test
