// Requests for error pages. If an ErrorDocument is a local path, httpd redirects a failed request to that path
// internally, with the client's headers. Such a request asks for a page, never for a WebSocket. All functions: request
// thread; none blocks.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// True if `r` is an internal redirect because of an error (http_request.c ap_die_r), of this request or of one before.
// In other internal redirects (mod_rewrite, mod_dir, mod_actions) the request before has status 200.
bool is_for_error_page(const request_rec* r);

// post_read_request, first of all modules: removes the headers of a handshake from a request for an error page. So no
// mapping, rewrite rule or upgrade= of any module takes it for a handshake.
void make_error_page_plain(request_rec* r);

// log_transaction, first of all modules: puts those headers back into the requests that `first` was redirected to, and
// gives these requests the status of the error, for the access log.
void complete_error_pages_for_log(request_rec* first);

// insert_filter: lets the client of a refused handshake see the status of the error. A backend that serves the error
// page gives it a status of its own, such as 200 (mod_proxy_http.c ap_proxy_http_process_response). A redirect by the
// backend is kept.
void keep_status_of_error(request_rec* r);

// Registers the output filter that keep_status_of_error() adds. When the module is loaded. Main thread.
void register_error_status_filter();

// mod_proxy's request_status: if the error page is on a ws:// mapping, which cannot serve it, the status stays that of
// the error, for the access log too.
void keep_first_error(int* status, request_rec* r);

// For a request on a mapping that serves only handshakes. If `r` is for an error page, or is a subrequest, it can never
// be a handshake: logs why, and returns the status to refuse it with. Otherwise OK. `url` is what `r` is mapped to.
int refuse_what_is_never_a_handshake(request_rec* r, const char* url);

// Removes the headers of a handshake from a subrequest, which has a table of its own (protocol.c
// ap_set_sub_req_protocol). So an SSI include on an http:// mapping is a plain GET, whatever upgrade= says.
void make_subrequest_plain(request_rec* r);

}  // namespace wsp
