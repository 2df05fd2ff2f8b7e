// What we keep with a request, from its mapping to its log line. Lives in the request's pool; used by the thread that
// serves the request.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

struct RequestContext {
    bool mapped_by_proxy_pass_ws = false;
    // The URL of a ws:// mapping that a plain request has skipped. The request returns to it if no other mapping takes
    // it.
    const char* passed_by = nullptr;
    apr_array_header_t* full_workers = nullptr;  // of proxy_worker*: see upstream/worker_state.hpp
    bool asked_handler = false;  // mod_proxy has chosen a worker, and asked for a handshake
    bool logged = false;         // the log_transaction hooks have run
    // The headers that were removed from a request for an error page; see error_pages.hpp.
    const apr_table_t* handshake_of_error = nullptr;
    // See log_conditions.hpp. In a copy that is made for its log line: its answers. Otherwise null.
    const apr_table_t* log_answers = nullptr;
    // In a request that is being asked for its copy: where the answers go. Otherwise null.
    apr_table_t* keeps_answers = nullptr;
};

// Makes the context if there is none.
RequestContext& request_context_of(request_rec* r);
// Null if there is none. Plain requests have none, so they cost nothing.
RequestContext* find_request_context(request_rec* r);

}  // namespace wsp
