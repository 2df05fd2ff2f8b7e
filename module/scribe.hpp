// Writes the log lines of tunnels that have ended, on a thread of its own: a piped log or a host
// name lookup may block, and the pump must not. Lines are written in the order in which tunnels
// ended, some milliseconds later: those of a burst together.
#pragma once

#include <pthread.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "access_log.hpp"
#include "base/clock.hpp"
#include "tunnel/report.hpp"

namespace wsp {

class Scribe {
  public:
    Scribe() = default;
    ~Scribe() = default;

    // Makes the thread. False with errno when the system refuses. Under the caller's lock.
    bool start() noexcept;
    // Any thread; never blocks. Without memory the line is lost, and that is said in the error log.
    void write(LogRecord record, const TunnelReport& report) noexcept;
    // Waits until everything is written, for at most `patience`; then no more is.
    void finish(DurationUs patience) noexcept;

  private:
    struct Entry {
        LogRecord record;
        TunnelReport report;
    };

    static void* thread_main(void* self) noexcept;
    void run() noexcept;

    std::mutex mutex_;  // guards all below
    std::condition_variable changed_;
    std::vector<Entry> entries_;
    bool sleeps_ = false;  // until somebody writes
    bool running_ = false;
    bool finishing_ = false;
    bool finished_ = false;
};

}  // namespace wsp
