// Balancer members that are taken out while they have tunnels (ProxyWebsocketOnMemberDown drain).
//
// balancer-manager and mod_proxy_hcheck change a member's state in shared memory and tell nobody:
// a thread looks once a second, from when the first tunnel of such a member opens.
//
// Any thread; one mutex guards the list of members, which live as long as the child.
#pragma once

#include <list>
#include <mutex>

#include "httpd/httpd.hpp"
#include "httpd/stop_fds.hpp"
#include "tunnel/loop_list.hpp"
#include "tunnel/tunnel_group.hpp"

namespace wsp {

class MemberWatch {
  public:
    // Tells `loops`, which outlive it, of what is taken out; those tunnels go within `spread`.
    MemberWatch(LoopList& loops, StopFds stops, DurationUs spread)
        : loops_(loops), stops_(stops), spread_(spread) {}

    // A tunnel to `worker` is about to open. The worker's state now is what it is compared with. May throw bad_alloc.
    TunnelGroup::Subscription subscribe(proxy_worker* worker);

  private:
    struct Member {
        explicit Member(proxy_worker* watched);
        // Has been taken out since this was asked last.
        bool went_down();

        proxy_worker* const worker;
        TunnelGroup tunnels;

      private:
        bool down_;
    };

    void start() noexcept;
    void run();
    void look();

    LoopList& loops_;
    const StopFds stops_;
    const DurationUs spread_;
    std::mutex mutex_;
    std::list<Member> members_;
    bool started_ = false;
};

}  // namespace wsp
