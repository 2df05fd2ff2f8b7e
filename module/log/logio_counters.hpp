// mod_logio's byte counters (%I %O %S) for a tunnel: read off the real connection at handover, put
// onto the copy that the log line is written from. mod_logio has functions to add to its counters
// but none to read them, so reading relies on its record beginning with the two of them; that is
// proved once per child on a made-up connection, and where it does not hold the handshake's own
// bytes are left out.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// child_init. Main thread.
void prove_logio_layout(apr_pool_t* scratch, server_rec* server);
// Zeroes without mod_logio.
void read_logio_counters(conn_rec* c, apr_off_t& in, apr_off_t& out);
// Makes mod_logio's record for a copied connection and sets its counters.
void give_logio_counters(conn_rec* copy, apr_off_t in, apr_off_t out);

}  // namespace wsp
