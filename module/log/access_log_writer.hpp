// Writes the log lines of tunnels that have ended, on threads of its own: a piped log or a host
// name lookup may block, and the pump must not. Lines are written in the order in which tunnels
// ended, some milliseconds later: those of a burst together.
//
// One thread writes the error log's lines and passes each tunnel on to the other, which writes the access log's: one log that
// takes nothing does not hold up the other. What a log does not take for so long that memory would grow is lost; the error log
// says so when it begins, and how much when it is over.
#pragma once

#include "log/log_queue.hpp"

namespace wsp {

class AccessLogWriter {
  public:
    AccessLogWriter();
    ~AccessLogWriter() = default;

    // Makes the threads. False with errno when the system refuses. Under the caller's lock.
    bool start() noexcept;
    // Any thread; never blocks.
    void write(LogRecord record, const TunnelReport& report) noexcept;
    // Waits until everything is written, for at most `patience`; then no more is.
    void finish(DurationUs patience) noexcept;

  private:
    LogQueue to_access_log_;
    LogQueue to_error_log_;
};

}  // namespace wsp
