// What handshakes are handed. The child process owns all of it, for as long as it lives; any thread may use it.
#pragma once

namespace wsp {

class HandshakeThreads;
class MemberWatch;
class PauseTable;
class SharedPolicies;
class Statistics;
class TunnelHost;
class WorkerPoolMap;

struct HandshakeServices {
    WorkerPoolMap& pools;       // where connections to backends come from
    MemberWatch& members;       // ends the tunnels of a member that is taken out
    SharedPolicies& policies;   // tunnels of one configuration share one
    HandshakeThreads& threads;  // ProxyWebsocketHandshakeThreads
    TunnelHost& tunnels;        // where open tunnels go
    Statistics& statistics;     // what is counted about no worker
    const PauseTable* pauses;   // what takes no new tunnels; null without shared memory for it
};

}  // namespace wsp
