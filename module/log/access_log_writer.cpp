// Two queues, what each writes, and the lines about lost lines.
#include "log/access_log_writer.hpp"

#include <utility>

#include "httpd/boundary.hpp"
#include "log/tunnel_log.hpp"

namespace wsp {
namespace {

// How much may wait for a log: with common formats, about thirty thousand tunnels, more than end at once in one child.
// A burst takes no additional memory: the records were in memory while their tunnels were open.
constexpr std::size_t kMostBytes = 16 << 20;

}  // namespace

AccessLogWriter::AccessLogWriter()
    : to_access_log_(
          kMostBytes,
          [](EndedTunnel& tunnel, apr_pool_t* scratch) {
              tunnel.record.write(tunnel.report, scratch);
          },
          [](std::size_t lost) { log_caught_up("access", lost); }),
      to_error_log_(
          kMostBytes,
          [this](EndedTunnel& tunnel, apr_pool_t* scratch) {
              guarded_or(0, [&] {  // without memory for this line there may be some for the next
                  return tunnel.record.write_end(tunnel.report, scratch), 0;
              });
              if (to_access_log_.put(std::move(tunnel)) == LogQueue::Put::first_lost) {
                  log_stuck_access_log();
              }
          },
          [](std::size_t lost) { log_caught_up("error", lost); }) {}

bool AccessLogWriter::start() noexcept {
    if (!to_access_log_.start()) {
        return false;
    }
    if (!to_error_log_.start()) {
        to_access_log_.finish(monotonic_now() + kSecond);
        return false;
    }
    return true;
}

void AccessLogWriter::write(LogRecord record, const TunnelReport& report) noexcept {
    to_error_log_.put({std::move(record), report});
}

void AccessLogWriter::finish(DurationUs patience) noexcept {
    const MonotonicUs deadline = monotonic_now() + patience;
    const bool error_log_takes_lines = to_error_log_.finish(deadline) == 0;
    const std::size_t lost = to_access_log_.finish(deadline);
    if (lost > 0 && error_log_takes_lines) {
        log_lost_lines(lost);
    }
}

}  // namespace wsp
