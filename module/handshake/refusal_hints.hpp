// What a person can do about a handshake that was refused: a sentence for the end of its log line. lib says what is so, this
// words it. Each function returns null where there is nothing to say. Request thread.
#pragma once

#include "httpd/httpd.hpp"
#include "routing/mapping.hpp"
#include "upstream/backend_connection.hpp"

namespace wsp {

// It could not be connected to.
const char* hint_for_connect(request_rec* r, const BackendConnection& backend);

// The TLS handshake failed, or ended too late.
const char* hint_for_tls(request_rec* r, const MappedUrl& target, const BackendConnection& backend);

// It is connected to, and has not answered as an HTTP server does; `hung_up`: nor kept the connection.
const char* hint_for_no_answer(request_rec* r, const MappedUrl& target,
                               const BackendConnection& backend, bool hung_up);

// It has answered with `status`, and the answer's body, if any has come with it, is still to be read. `path`: as it was asked.
const char* hint_for_answer(request_rec* r, const MappedUrl& target, BackendConnection& backend,
                            const apr_uri_t& uri, const char* path, int status);

// The worker is in error, stopped, disabled, or its health check fails.
const char* hint_for_unusable_worker(request_rec* r, const proxy_worker& worker);

// A wss or https mapping without a mod_ssl that may shake hands.
const char* hint_for_missing_tls(request_rec* r);

}  // namespace wsp
