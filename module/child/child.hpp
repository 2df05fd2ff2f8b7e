// What lives as long as one httpd child process: the pumps, the access log writer, the policies in use, and
// the descriptors that stand in for connections that have left. Made in child_init, on the main
// thread, before there is any other; the pumps' and the access log writer's threads are made when the first
// tunnel needs them, so that a child without tunnels costs nothing.
//
// Threads: every function may be called from any thread after child_init, unless it says otherwise.
// One mutex guards the making of threads and the list of policies.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/unique_fd.hpp"
#include "base/wake_fd.hpp"
#include "config/config.h"
#include "handoff/kept_threads.hpp"
#include "handoff/spare_sockets.hpp"
#include "httpd/httpd.hpp"
#include "log/access_log_writer.hpp"
#include "net/tls_ties.hpp"
#include "tunnel/loop_list.hpp"
#include "tunnel/policy.hpp"
#include "tunnel/pump.hpp"
#include "upstream/member_watch.hpp"
#include "upstream/worker_pools.hpp"

namespace wsp {

class Child {
  public:
    // child_init: makes the one Child of this process and ties it to `pchild`.
    static void make(apr_pool_t* pchild, server_rec* server);
    static bool exists();
    // Only where exists() is true; where there was no memory for it, it never will be.
    static Child& current();

    explicit Child(server_rec* server);
    ~Child();

    // A pump that runs, or null when the system refuses a thread or memory: the blocking pump must do then.
    Pump* pump();
    // What TLS streams are made with. Only where pump() has given one.
    SSL_CTX* neutral_tls() const { return neutral_tls_.get(); }
    AccessLogWriter& access_log_writer() { return access_log_writer_; }
    WorkerPools& pools() { return pools_; }
    KeptThreads& kept_threads() { return kept_threads_; }
    // Where blocking tunnels are listed beside the pumps: what ends tunnels reaches both.
    LoopList& loops() { return loops_; }
    SpareSockets& spare_sockets() { return spare_sockets_; }
    MemberWatch& member_watch() { return member_watch_; }
    std::int64_t handshake_threads() const { return config_.handshake_threads; }
    // One shared copy per distinct policy.
    std::shared_ptr<const Policy> share(const Policy& policy);

    // Reads as "nothing yet", writes fail with EPIPE: takes the place of a socket that has left
    // (dup3).
    int idle_fd() const { return idle_.get(); }
    // For whoever waits meanwhile: readable from when the child stops, gracefully or not.
    int drain_fd() const { return drain_.fd(); }
    int stop_fd() const { return stop_.fd(); }

    // child_stopping: ends all tunnels, gracefully over ProxyWebsocketDrainTimeout or at once. Once
    // or more; the first graceful call fixes the plan.
    void stop_tunnels(bool graceful);
    // child_stopping, not graceful: the same, and waits, about a second at most, until the tunnels that keep their threads have
    // said Close.
    void stop_at_once();
    // True once stop_tunnels() has been called.
    const std::atomic<bool>& stopping() const { return stopping_; }
    // How tunnels end when the child drains.
    ClosePlan drain_plan(MonotonicUs now);
    // pchild's cleanup: waits for the end of all tunnels, a bounded time.
    void wait_for_tunnels();

  private:
    struct ListedPump {
        Pump pump;
        std::optional<LoopList::Entry> entry;  // once its thread runs
    };

    // Without a descriptor where the system has none left.
    static WakeFd opened() noexcept;
    // Request thread: makes them for the child's first tunnel. False: it stops, or they did not start.
    bool has_threads();
    bool start_threads();
    ClosePlan plan_of_stop(bool graceful);
    void join_pumps(MonotonicUs until);
    std::size_t sum_over_pumps(std::size_t (Pump::*count)() const noexcept) const;

    std::mutex mutex_;
    LoopList loops_;
    std::vector<std::unique_ptr<ListedPump>> pumps_;
    UniqueSslCtx neutral_tls_;
    std::vector<std::shared_ptr<const Policy>> policies_;
    AccessLogWriter access_log_writer_;
    WakeFd drain_ = opened();  // woken once: readable from then on
    WakeFd stop_ = opened();
    wsp_server_config config_;
    WorkerPools pools_{{drain_fd(), stop_fd()}};
    MemberWatch member_watch_{loops_, {drain_fd(), stop_fd()}, config_.drain_spread_us};
    KeptThreads kept_threads_;
    SpareSockets spare_sockets_;
    UniqueFd idle_;
    UniqueFd idle_peer_;
    std::atomic<MonotonicUs> draining_since_{kNever};
    std::atomic<unsigned> next_pump_{0};
    std::atomic<bool> stopping_{false};
    std::size_t ended_before_stop_ = 0;  // tunnels; the main thread's
    std::atomic<bool> threads_made_{
        false};  // pumps_ is complete and changes no more, nor neutral_tls_
};

// Whether a child that is told to stop (child_stopping's `graceful`) has time for its tunnels.
// Prefork does not say; see the source. To be called from within that hook.
bool ends_gracefully(bool graceful);

}  // namespace wsp
