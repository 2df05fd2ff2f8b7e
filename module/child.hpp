// What lives as long as one httpd child process: the pumps, the scribe, the policies in use, and the descriptors that stand
// in for connections that have left. Made in child_init, on the main thread, before there is any other; the pumps'
// and the scribe's threads are made when the first tunnel needs them, so that a child without tunnels costs nothing.
//
// Threads: every function may be called from any thread after child_init, unless it says otherwise. One mutex guards the
// making of threads and the list of policies.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "base/unique_fd.hpp"
#include "httpd.hpp"
#include "scribe.hpp"
#include "tunnel/policy.hpp"
#include "tunnel/pump.hpp"

namespace wsp {

class Child {
  public:
    // child_init: makes the one Child of this process and ties it to `pchild`.
    static void make(apr_pool_t* pchild, server_rec* server);
    static bool exists();
    // Only where exists() is true.
    static Child& current();

    explicit Child(server_rec* server);
    ~Child();

    // A pump that runs, or null when the system refuses a thread: the blocking pump must do then.
    Pump* pump();
    Scribe& scribe() { return scribe_; }
    // One shared copy per distinct policy.
    std::shared_ptr<const Policy> share(const Policy& policy);

    // Reads as "nothing yet", writes fail with EPIPE: takes the place of a socket that has left (dup3).
    int idle_fd() const { return idle_.get(); }
    // Becomes readable when the child stops; for the blocking pumps of threaded MPMs.
    int stop_fd() const { return stop_read_.get(); }

    // child_stopping: ends all tunnels. Once or more.
    void stop_tunnels(bool graceful);
    // pchild's cleanup: waits for that, a bounded time.
    void wait_for_tunnels();

  private:
    bool start_threads();

    std::mutex mutex_;
    std::vector<std::unique_ptr<Pump>> pumps_;
    std::vector<std::shared_ptr<const Policy>> policies_;
    Scribe scribe_;
    UniqueFd idle_;
    UniqueFd idle_peer_;
    UniqueFd stop_read_;
    UniqueFd stop_write_;
    std::size_t pump_count_;
    std::atomic<unsigned> next_pump_{0};
    std::atomic<bool> stopping_{false};
    bool threads_made_ = false;
};

}  // namespace wsp
