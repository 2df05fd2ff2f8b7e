// A tunnel on its way out of httpd: made by the request thread when the handshake is done, and held
// by the records of both connections. The request, its worker and its connections end as they
// always do; when the second connection is gone, nobody else can be near the sockets, and the
// tunnel goes to the pump.
//
// One thread at a time: the request thread makes it, the threads that end the connections let go of
// it. The count in shared_ptr is what crosses between them.
#pragma once

#include <memory>
#include <string>

#include "access_log.hpp"
#include "base/unique_fd.hpp"
#include "member_watch.hpp"
#include "net/tls_stream.hpp"
#include "tunnel/policy.hpp"
#include "tunnel/pump.hpp"
#include "tunnel_slots.hpp"

namespace wsp {

// One of the two connections, taken out of httpd.
struct TakenConnection {
    UniqueFd fd;
    UniqueSsl ssl;      // a reference of our own; null without TLS
    std::string early;  // what httpd's filters had read already
};

class Departure {
  public:
    Departure(TakenConnection client, TakenConnection backend, std::shared_ptr<const Policy> policy,
              std::uint8_t allowed_rsv, bool raw, Lifetime lifetime, Pump& pump, LogRecord log);
    // Sends the tunnel off. Without memory it ends here, and the logs say so.
    ~Departure();

    // What the log lines about the tunnel need of the request.
    LogRecord log;
    // The worker that is busy with the tunnel.
    proxy_worker* worker = nullptr;
    TunnelSlot slot;
    MemberWatch::Tie member;

  private:
    void send_off(std::unique_ptr<TunnelObserver> observer);

    TakenConnection client_;
    TakenConnection backend_;
    std::shared_ptr<const Policy> policy_;
    Pump& pump_;
    Lifetime lifetime_;
    std::uint8_t allowed_rsv_;
    bool raw_;
};

}  // namespace wsp
