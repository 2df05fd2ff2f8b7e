// mod_logio's byte counters (%I %O %S) for a tunnel. They are read from the real connection when the tunnel is handed
// off, and set on the copy that the log line is written from. mod_logio has functions that add to its counters and none
// that reads them. So reading relies on its record beginning with the two counters. Each child tries that once, on a
// made-up connection; if it does not hold, the handshake's own bytes are not counted.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// child_init: whether mod_logio's record begins with the two counters. Main thread.
bool is_logio_layout_known(apr_pool_t* scratch, server_rec* server);
// Only where the layout is known. Zeroes without mod_logio. The thread that serves `c`.
void read_logio_counters(conn_rec* c, apr_off_t& in, apr_off_t& out);
// Makes mod_logio's record for a copied connection and sets its counters; nothing without mod_logio. Any thread that
// owns `copy`.
void give_logio_counters(conn_rec* copy, apr_off_t in, apr_off_t out);

}  // namespace wsp
