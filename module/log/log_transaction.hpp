// The log_transaction hook for requests that have become tunnels. Everybody but mod_log_config logs such a request when
// it ends; mod_log_config's line is written when the tunnel ends (log_record.hpp).
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// The request that httpd has redirected to `r`, maybe in several steps; `r` itself if there was no redirect.
request_rec* first_request_of(request_rec* r);

// Runs the log_transaction hooks early. For a request thread that ends before httpd would run them. Request thread; may
// block.
void log_request_now(request_rec* r);

// log_transaction, run first of all. DONE, without doing anything, for a request that has been logged. For a request
// whose tunnel has been handed off: runs the functions of all other modules but mod_log_config's, and returns DONE,
// which ends the normal run. DECLINED for all others. Request thread.
int log_handed_off_request(request_rec* r);

}  // namespace wsp
