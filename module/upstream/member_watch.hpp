// Finds out that balancer members are taken out while they have tunnels (ProxyWebsocketOnMemberDown drain).
//
// balancer-manager and mod_proxy_hcheck change a member's state in shared memory and tell nobody. So a thread looks
// once a second, from the first tunnel of such a member on.
#pragma once

#include <list>
#include <mutex>

#include "httpd/httpd.hpp"
#include "httpd/stop_fds.hpp"
#include "tunnel/loop_list.hpp"
#include "tunnel/tunnel_group.hpp"

namespace wsp {

// Owned by the child process. Any thread; the mutex guards the list, whose members live as long as the child.
class MemberWatch {
  public:
    // When a member is taken out its tunnels are drained within `spread`, and `loops` are told. `loops` outlive this.
    MemberWatch(LoopList& loops, StopFds stops, DurationUs spread)
        : loops_(loops), stops_(stops), spread_(spread) {}

    // A tunnel to `worker` is about to open: the subscription to what becomes of the member from now on. May throw
    // bad_alloc.
    TunnelGroup::Subscription subscribe(proxy_worker* worker);

  private:
    class Member {
      public:
        explicit Member(proxy_worker* worker);
        // Whether it was taken out since this was called last, or since it was made.
        bool went_down();

        proxy_worker* const worker;
        TunnelGroup tunnels;

      private:
        bool is_down_;
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
