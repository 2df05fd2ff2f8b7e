// A tunnel between its handshake and whoever pumps it. Request thread.
#pragma once

#include "handoff/kept_threads.hpp"
#include "httpd/httpd.hpp"
#include "log/tunnel_identity.hpp"
#include "log/tunnel_log.hpp"
#include "statistics/tunnel_count.hpp"
#include "survey/opening_tunnel.hpp"
#include "tunnel/terms.hpp"
#include "upstream/request_connector.hpp"
#include "upstream/tunnel_permits.hpp"

namespace wsp {

// A tunnel whose 101 has been sent to the client.
struct OpenTunnel {
    request_rec* r;
    RequestConnector& backend;  // released once the tunnel has left
    TunnelTerms terms;
    bool async;                // ProxyWebsocketAsync
    bool own_records;          // ProxyWebsocketOwnRecords
    TunnelIdentity identity;   // refers to the request
    KeptThreads::Permit kept;  // where it was seen early that the tunnel keeps its thread
    TunnelPermit permit;       // held for as long as the tunnel lives
    TunnelCount count;
    OpeningTunnel opening;  // until a loop has the tunnel

    TunnelLog log() const { return TunnelLog(r, backend.warnings().of("WSP0201")); }
};

}  // namespace wsp
