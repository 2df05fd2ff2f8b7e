// Writes the log lines of tunnels that have ended. It has threads of its own, since a piped log or a host name lookup
// may block, and a pump must not. Lines are written in the order in which the tunnels ended, some milliseconds later.
//
// One thread writes the lines for the error log, and passes each tunnel on to the other thread, which writes the lines
// for the access log. So a log that blocks does not block the other. While a log is blocked, its lines are kept up to a
// limit and then lost. The error log says when that begins, and afterwards how many lines are lost.
//
// Owned by TunnelHost, one per child process.
#pragma once

#include "log/log_queue.hpp"

namespace wsp {

class AccessLogWriter {
  public:
    AccessLogWriter();
    ~AccessLogWriter() = default;

    // Makes the threads. False with errno when the system refuses. The caller holds a lock.
    bool start() noexcept;
    // Any thread; never blocks.
    void write(LogRecord record, const TunnelReport& report) noexcept;
    // Waits until everything is written, for at most `patience`. Nothing is written after that. The child's main
    // thread.
    void finish(DurationUs patience) noexcept;

  private:
    LogQueue to_access_log_;
    LogQueue to_error_log_;
};

}  // namespace wsp
