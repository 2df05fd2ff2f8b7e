// What is kept of a request for the log lines about its tunnel. A tunnel has one access log line. It is written when
// the tunnel ends, long after the request has been destroyed. So the fields that the configured formats ask for are
// packed into one block when the tunnel is handed off. When the tunnel has ended, a copy of the request is built from
// the block in a scratch pool, and mod_log_config writes the line about the copy. No other module may see the copy:
// modules keep pointers into the destroyed request's pool. Where httpd had redirected the request internally there are
// two copies, since a format may ask for the first request or for the last.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "httpd/httpd.hpp"
#include "log/tunnel_identity.hpp"
#include "log/tunnel_log.hpp"
#include "tunnel/report.hpp"

namespace wsp {

// One block of memory. Owned by the handoff, then by the tunnel's observer, then by the access log writer; used by one
// thread at a time.
class LogRecord {
  public:
    // Packs what the formats need of `r`, whose 101 has been sent, and of the first request if `r` comes from a
    // redirect. Request thread. May take as long as the subrequests that a condition of an access log makes.
    LogRecord(request_rec* r, const TunnelIdentity& identity, const TunnelLog& log);
    // Of a tunnel that comes from another process: what that process has read from block(). May throw bad_alloc. Any
    // thread.
    LogRecord(const TunnelLog& log, std::string_view block);

    // Writes the access log line. All that it allocates is in `scratch`, which the caller clears. May block, on a log
    // or on a name server.
    void write(const TunnelReport& report, apr_pool_t* scratch) const;
    // Writes the line of the error log about the tunnel's end. The same.
    void write_end(const TunnelReport& report, apr_pool_t* scratch) const;
    // Logs that the tunnel, with this record, has come from another process. The thread of a pump: at LogLevel debug it
    // may block, and makes a pool of APR for a moment.
    void log_taken_over() const;

    const TunnelLog& log() const { return log_; }
    // Refers to this record's block.
    TunnelIdentity identity() const;
    // "192.0.2.7:50412 to ws://127.0.0.1:8000/chat"
    std::string about() const { return name_of_tunnel(identity()); }

    // What is kept of the request. An access log of another configuration may ask for more than that; its line then has
    // "-" there.
    std::string_view block() const noexcept { return {block_.get(), size_}; }

    // Bytes of the block.
    std::size_t size() const noexcept { return size_; }

  private:
    struct Copy;
    Copy unpack(apr_pool_t* pool) const;

    TunnelLog log_;
    std::size_t size_;
    std::unique_ptr<char[]> block_;
};

}  // namespace wsp
