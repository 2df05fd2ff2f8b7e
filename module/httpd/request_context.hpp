// What we note on a request, from its mapping to its log line. Lives in the request's pool; touched by the thread that serves
// the request.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

struct RequestContext {
    bool mapped_by_proxy_pass_ws = false;
    // A ProxyPass to ws:// that a plain request has passed by; it answers if nobody else takes the
    // request.
    const char* passed_by = nullptr;
    apr_array_header_t* full_workers = nullptr;  // of proxy_worker*: see upstream/worker_state.hpp
    bool logged = false;                         // the log_transaction hooks have run
    // Headers that a request for an error page has no more: see error_pages.hpp.
    const apr_table_t* handshake_of_error = nullptr;
    // See log_conditions.hpp: of a copy that the access log's conditions are judged on, what it answers; of a request that is
    // asked in time for its copy, where its answers go. Else null.
    const apr_table_t* log_answers = nullptr;
    apr_table_t* keeps_answers = nullptr;
};

// Makes it where there is none.
RequestContext& request_context_of(request_rec* r);
// Null where there is none: plain requests cost nothing.
RequestContext* find_request_context(request_rec* r);

}  // namespace wsp
