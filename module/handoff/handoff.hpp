// A tunnel on its way out of httpd. The request thread makes the handoff when the handshake is done, and the contexts
// of both connections hold it. The request, its worker and its connections end as they always do. When the second
// connection is gone, no other thread can touch the sockets any more, and the tunnel goes to the pump.
//
// One thread at a time: the request thread makes it, and the threads that end the two connections drop their
// references. Only the reference count of shared_ptr is shared between them.
#pragma once

#include <memory>
#include <string>

#include "base/unique_fd.hpp"
#include "handoff/pumped_tunnel_observer.hpp"
#include "net/tls_stream.hpp"
#include "survey/opening_tunnel.hpp"
#include "tunnel/terms.hpp"

namespace wsp {

class Pump;
class TunnelHost;

// One of the two connections, taken out of httpd.
struct TakenConnection {
    UniqueFd fd;
    std::unique_ptr<TlsSecrets> secrets;  // of ssl; null when the session stays with OpenSSL
    UniqueSsl ssl;                        // a reference of our own; null without TLS
    std::string early;                    // what httpd's filters had read already
};

class Handoff {
  public:
    Handoff(TakenConnection client, TakenConnection backend, TunnelTerms terms,
            TunnelContext context, OpeningTunnel opening, TunnelHost& tunnels, Pump& pump);
    // Gives the tunnel to the pump. Without memory the tunnel ends here, and the logs say so.
    ~Handoff();

  private:
    void send_off(std::unique_ptr<TunnelObserver> observer);

    TakenConnection client_;
    TakenConnection backend_;
    TunnelTerms terms_;
    TunnelContext context_;
    OpeningTunnel opening_;
    TunnelHost& tunnels_;  // outlives all tunnels
    Pump& pump_;           // one of its pumps
};

}  // namespace wsp
