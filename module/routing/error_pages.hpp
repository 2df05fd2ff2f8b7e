// A request that stands in for the error of another: where an ErrorDocument is a local path, httpd redirects the failed
// request to it internally, with the client's headers. Such a request asks for a page, never for a WebSocket.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// `r` was made to tell of an error (http_request.c ap_die_r), at first or second hand: of other internal redirects, as
// mod_rewrite, mod_dir and mod_actions make them, the status before is 200.
bool is_for_error_page(const request_rec* r);

// post_read_request, before everybody: takes what makes a handshake of a request from one that is for an error page. No
// mapping, rewrite rule or upgrade= can see it there, whosever they are.
void make_error_page_plain(request_rec* r);

// log_transaction, before everybody: gives it back to the requests that `first` was redirected to, and gives them the
// error's status, for the access log.
void complete_error_pages_for_log(request_rec* first);

// insert_filter: a page that a backend gives comes with a status of its own, 200 for one (mod_proxy_http.c
// ap_proxy_http_process_response). A refused handshake is told the error all the same; a redirect of the backend's stays.
void keep_status_of_error(request_rec* r);

// Makes the output filter of keep_status_of_error() known; when the module is loaded.
void register_error_status_filter();

// mod_proxy's request_status: a page that a ws:// mapping cannot give leaves the error as it was, for the access log too.
void keep_first_error(int* status, request_rec* r);

// Where `r`, on a mapping that serves only handshakes, can never be one: logs why and returns the status to refuse it
// with. Else OK. `url` is what it is mapped to.
int refuse_what_is_never_a_handshake(request_rec* r, const char* url);

// Takes the upgrade from a subrequest, which has headers of its own (protocol.c ap_set_sub_req_protocol): an SSI include
// on an http:// mapping is then a GET, whatever upgrade= says.
void make_subrequest_plain(request_rec* r);

}  // namespace wsp
