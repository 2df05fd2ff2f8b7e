// Tunnels that have ended, on their way to a log: a queue that takes no more than so many bytes, and the thread that works it
// off. The log may take its time, or take nothing for ever: then what no longer fits is lost, and counted.
#pragma once

#include <pthread.h>

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
    // Memory that it takes, roughly.
    std::size_t size() const noexcept { return sizeof(EndedTunnel) + record.size(); }
};

class LogQueue {
  public:
    // `log` writes one tunnel's line, `caught_up` is told when everything is written after tunnels
    // were lost, and how many. Both on the queue's thread; both may block.
    using Log = std::function<void(EndedTunnel& tunnel, apr_pool_t* scratch)>;
    using CaughtUp = std::function<void(std::size_t lost)>;
    LogQueue(std::size_t most_bytes, Log log, CaughtUp caught_up);

    // Makes the thread. False with errno when the system refuses.
    bool start() noexcept;
    enum class Put { taken, lost, first_lost };
    // Any thread; never blocks for long. first_lost: nothing was lost before, or since the thread has caught up.
    Put put(EndedTunnel tunnel) noexcept;
    // Waits until everything is written, until `deadline` at most, and ends the thread. Returns how many tunnels are not
    // written; they never will be.
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
    std::size_t lost_ = 0;   // since caught_up_ was told
    bool writing_ = false;   // one that is no longer in tunnels_
    bool sleeps_ = false;    // until somebody puts something
    bool running_ = false;
    bool finishing_ = false;
    bool given_up_ = false;  // finish() has: nothing more is written
    bool finished_ = false;
};

}  // namespace wsp
