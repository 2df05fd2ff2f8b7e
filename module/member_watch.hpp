// Balancer members that are taken out while they have tunnels (ProxyWebsocketOnMemberDown drain).
//
// balancer-manager and mod_proxy_hcheck change a member's state in shared memory and tell nobody:
// a thread looks once a second, from when the first tunnel of such a member opens.
//
// Any thread; one mutex guards the list of members. Entries live as long as the child.
#pragma once

#include <atomic>
#include <list>
#include <mutex>

#include "base/clock.hpp"
#include "httpd.hpp"
#include "tunnel/close_plan.hpp"

namespace wsp {

class MemberWatch {
  public:
    // One member. `times_down` counts how often it has been taken out; whoever has seen it change
    // follows `plan()`.
    class Entry {
      public:
        explicit Entry(proxy_worker* worker) : worker_(worker) {}
        unsigned times_down() const noexcept { return times_down_.load(std::memory_order_acquire); }
        // Of the last time.
        ClosePlan plan() const noexcept;

      private:
        friend class MemberWatch;
        proxy_worker* const worker_;
        bool down_ = false;    // this and the next under the watch's mutex
        bool untold_ = false;  // it is down, and a pump had no memory to hear of it
        std::atomic<MonotonicUs> down_since_{0};  // set before times_down_
        std::atomic<DurationUs> spread_{0};
        std::atomic<unsigned> times_down_{0};
    };

    // What a tunnel knows of its member; made before its client hears that it is open.
    class Tie {
      public:
        Tie() = default;  // to nobody
        explicit Tie(const Entry& entry) : entry_(&entry), seen_(entry.times_down()) {}
        explicit operator bool() const noexcept { return entry_ != nullptr; }
        // The member has been taken out since the tie was made, or since this was true last.
        bool is_cut() noexcept;
        ClosePlan plan() const noexcept { return entry_->plan(); }

      private:
        const Entry* entry_ = nullptr;
        unsigned seen_ = 0;
    };

    // A tunnel to `worker` is about to open. The worker's state now is what it is compared with.
    Tie tie(proxy_worker* worker);

  private:
    void start() noexcept;
    void run();
    void look();

    std::mutex mutex_;
    std::list<Entry> entries_;
    bool started_ = false;
};

}  // namespace wsp
