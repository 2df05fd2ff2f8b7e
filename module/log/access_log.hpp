// One access log line per tunnel, written when it ends, long after its request is gone. At handover
// the fields that the configured formats ask for are packed into one block; at the end a request is
// rebuilt around them in a scratch pool and mod_log_config alone is shown it. Nothing else may see
// the copy: other modules keep pointers into the dead request's pool. Where a request was redirected
// within httpd there are two, as a format may ask for the first or the last.
#pragma once

#include <memory>

#include "httpd/httpd.hpp"
#include "log/tunnel_log.hpp"
#include "tunnel/report.hpp"

namespace wsp {

// post_config: learns from the LogFormat, CustomLog, TransferLog and GlobalLog lines which headers,
// notes and variables a record must keep. Main thread.
void learn_log_formats(apr_pool_t* pconf, apr_pool_t* ptemp, const server_rec* main_server);

// What is kept of a request for the log lines about its tunnel: one block. Owned by the handoff,
// then by the tunnel's observer, then by the access log writer; one at a time.
class LogRecord {
  public:
    // Packs what the formats need of `r`, whose 101 has been sent, and of the first of the requests that it was
    // redirected from. `backend_url` is for the error log. Request thread.
    LogRecord(request_rec* r, const char* backend_url, const TunnelLog& log);

    // Writes the access log line, with `scratch` for everything that it takes; the caller clears
    // it. May block.
    void write(const TunnelReport& report, apr_pool_t* scratch) const;

    const TunnelLog& log() const { return log_; }
    // "192.0.2.7:50412 to ws://127.0.0.1:8000/chat"
    const char* about() const;

    // Of the block.
    std::size_t size() const noexcept { return size_; }

  private:
    TunnelLog log_;
    std::size_t size_;
    std::unique_ptr<char[]> block_;
};

// Runs the log_transaction hooks before their time, for a request thread that will not live to its
// request's end.
void log_request_now(request_rec* r);

// log_transaction, run first of all: nothing for a request that has been logged; for a request
// whose tunnel has left, runs every other module's function except mod_log_config's, keeps what the
// later line needs, and returns DONE to end the normal run. Otherwise DECLINED.
int log_handed_off_request(request_rec* r);

}  // namespace wsp
