// Adds the bytes of tunnels to the totals of server-status. httpd adds a request's bytes when it logs the request, to
// the scoreboard slot of the thread that serves it, without a lock. No other thread may write there. So the bytes of a
// tunnel wait until the same child logs a request, and go into the slot of that request. Bytes of tunnels that end
// after a child's last request are in no total.
#pragma once

#include <atomic>

#include "httpd/httpd.hpp"
#include "tunnel/report.hpp"

namespace wsp {

class ServedBytes {
  public:
    // child_init: whether httpd counts the bytes of both directions. Main thread.
    void learn_what_is_served();

    // A tunnel that had left its request thread has ended. Any thread; never blocks.
    void note(const TunnelReport& report) noexcept;

    // log_transaction, on the thread whose slot is the request's. Never blocks.
    void book(const request_rec* r) noexcept;

  private:
    bool both_ways_ = false;
    std::atomic<apr_off_t> waiting_{0};
};

}  // namespace wsp
