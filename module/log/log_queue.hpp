// A queue of tunnels that have ended, and the thread that logs them. The queue is limited in bytes. If the log is slow,
// or blocks for ever, tunnels that do not fit are lost, and counted.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>

#include "base/clock.hpp"
#include "log/log_record.hpp"
#include "tunnel/report.hpp"

namespace wsp {

struct EndedTunnel {
    LogRecord record;
    TunnelReport report;
    // Its memory, roughly.
    std::size_t size() const noexcept { return sizeof(EndedTunnel) + record.size(); }
};

class LogQueue {
  public:
    // `log` writes the line of one tunnel. `caught_up` is called when tunnels have been lost and everything else is
    // written. Both are called on the queue's thread, and may block.
    using Log = std::function<void(EndedTunnel& tunnel, apr_pool_t* scratch)>;
    using CaughtUp = std::function<void(std::size_t lost)>;
    LogQueue(std::size_t most_bytes, Log log, CaughtUp caught_up);

    // Makes the thread. False with errno when the system refuses.
    bool start() noexcept;
    enum class Put { taken, lost, first_lost };
    // Any thread; waits for a mutex only. first_lost: the first tunnel that is lost, since the beginning or since
    // `caught_up`.
    Put put(EndedTunnel tunnel) noexcept;
    // Waits until everything is written, but not beyond `deadline`, and ends the thread. Returns how many tunnels are
    // not written, and never will be.
    std::size_t finish(MonotonicUs deadline) noexcept;

  private:
    static void* thread_main(void* self) noexcept;
    void run() noexcept;
    void log_one(std::unique_lock<std::mutex>& lock, apr_pool_t* scratch);
    void tell_caught_up(std::unique_lock<std::mutex>& lock);

    const std::size_t most_bytes_;
    const Log log_;
    const CaughtUp caught_up_;

    std::mutex mutex_;  // guards all below
    std::condition_variable changed_;
    std::deque<EndedTunnel> tunnels_;
    std::size_t bytes_ = 0;  // of tunnels_ and of the one that is being written
    std::size_t lost_ = 0;   // since caught_up_ was called
    bool writing_ = false;   // the thread writes one that is not in tunnels_ any more
    bool sleeps_ = false;    // the thread waits for the next tunnel
    bool running_ = false;
    bool finishing_ = false;
    bool given_up_ = false;  // finish() has returned: nothing more is written
    bool finished_ = false;
};

}  // namespace wsp
