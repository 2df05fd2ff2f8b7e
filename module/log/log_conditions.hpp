// Conditions of access logs (CustomLog ... "expr=...") for tunnels. mod_log_config judges them when
// the tunnel has ended, on a copy of its request, and httpd's evaluators ask more of a request than
// a copy can tell: its connection and TLS, the private data of other modules, even subrequests. So
// what a condition asks is split. Variables, and functions that are not known to look at nothing
// but the copy's fields, are asked at the handover, while the request is whole, and the copy
// repeats their answers. The request's tables, the notes about the tunnel's end among them, and the
// time are asked when the tunnel has ended.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

class LogNeeds;

// pre_config: does nothing where no access log has a condition. Main thread.
void expect_log_conditions();

// post_config: which questions to ask at the handover, and which tables of a request `needs` to keep.
void learn_log_conditions(apr_pool_t* pconf, apr_pool_t* ptemp, const server_rec* main_server,
                          LogNeeds& needs);

// Asks them, all that may be asked about this request's tunnel. May take as long as subrequests do. Null: there are none.
apr_table_t* answers_for_conditions(request_rec* r);

// Lets a copied request answer.
void give_answers(request_rec* copy, const apr_table_t* answers);

}  // namespace wsp
