// The bytes of tunnels in the totals of server-status. httpd adds a request's when it is logged, to the slot of the thread that
// serves it, without a lock: no other thread may write there. So what a tunnel has moved waits until a request of the same child
// is logged, and goes into that request's slot. What ends after a child's last request is in no total.
#pragma once

#include "httpd/httpd.hpp"
#include "tunnel/report.hpp"

namespace wsp {

// child_init: whether httpd counts the bytes of both directions. Main thread.
void learn_what_is_served();

// A tunnel that had left its thread has ended. Any thread.
void note_served_bytes(const TunnelReport& report) noexcept;

// log_transaction: on the thread whose slot is the request's.
void book_served_bytes(const request_rec* r) noexcept;

}  // namespace wsp
