// What a person can do about a refused handshake, where that depends on the request or the backend: a sentence for the
// end of the log line. Hints that are always the same are columns of the tables. Each function returns null when it has
// no hint. Request thread.
#pragma once

#include "httpd/httpd.hpp"
#include "routing/mapping.hpp"
#include "upstream/backend_connection.hpp"

namespace wsp {

// The backend could not be connected to.
const char* hint_for_connect(request_rec* r, const BackendConnection& backend);

// The TLS handshake failed, or took too long.
const char* hint_for_tls(request_rec* r, const MappedUrl& target, const BackendConnection& backend);

// The backend is connected to and has not answered as an HTTP server does. `hung_up`: it has closed the connection.
const char* hint_for_no_answer(request_rec* r, const MappedUrl& target,
                               const BackendConnection& backend, bool hung_up);

// The backend has answered with `status`; nobody has read the answer's body yet. `path`: as the backend was asked for
// it.
const char* hint_for_answer(request_rec* r, const MappedUrl& target, BackendConnection& backend,
                            const apr_uri_t& uri, const char* path, int status);

// The worker is in error, stopped, disabled or draining, or its health check fails.
const char* hint_for_unusable_worker(request_rec* r, const proxy_worker& worker);

// A wss or https mapping without SSLProxyEngine.
const char* hint_for_missing_tls(request_rec* r);

}  // namespace wsp
