// One access log line per tunnel, written when it ends, long after its request is gone. At handover the fields that the
// configured formats ask for are packed into one block; at the end a request is rebuilt around them in a scratch pool
// and mod_log_config alone is shown it. Nothing else may see the copy: other modules keep pointers into the dead
// request's pool.
#pragma once

#include <memory>
#include <string>

#include "httpd.hpp"
#include "tunnel/report.hpp"

namespace wsp {

// post_config: learns from the LogFormat, CustomLog, TransferLog and GlobalLog lines which headers, notes and variables a
// record must keep. Main thread.
void learn_log_formats();

// pre_config: answers %{...}x for tunnels, whose TLS connection mod_ssl does not know any more.
void wrap_ssl_log_handler(apr_pool_t* pool);

// Owned by the departure, then by the tunnel's observer, then by the scribe; one at a time.
class LogRecord {
  public:
    // `about`: the client and the backend, for the error log's lines.
    LogRecord(server_rec* server, std::string about);
    ~LogRecord();

    // Packs what the formats need of `r`. Request thread, while the request's log_transaction hook runs.
    void capture(request_rec* r);
    // Writes the line, with `scratch` for everything that it takes; the caller clears it. May block.
    void write(const TunnelReport& report, apr_pool_t* scratch) const;

    server_rec* server() const { return server_; }
    const std::string& about() const { return about_; }

  private:
    struct Packed;
    server_rec* server_;
    std::string about_;
    std::unique_ptr<Packed> packed_;  // null until capture()
};

// log_transaction, run first of all: for a request whose tunnel has left, runs every other module's function except
// mod_log_config's, keeps what the later line needs, and returns DONE to end the normal run. Otherwise DECLINED.
int log_departed_request(request_rec* r);

}  // namespace wsp
