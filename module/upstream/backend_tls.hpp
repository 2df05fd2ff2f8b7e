// httpd's connection on a connected socket, and the TLS handshake that mod_ssl does on it.
#pragma once

#include "base/clock.hpp"
#include "upstream/backend.hpp"
#include "upstream/backend_connection.hpp"

namespace wsp {

// Makes httpd's connection on the socket. mod_ssl's settings are those of `r`, or, where that is null, of the worker.
// Returns OK or an HTTP status.
int set_up_connection(const Backend& backend, BackendConnection& connection, request_rec* r);

// Whether mod_ssl speaks TLS to backends for this request (SSLProxyEngine). Connects to nothing.
bool may_speak_tls(request_rec* r);

// Lets mod_ssl do its handshake. Blocks until the deadline at most, or until the child process stops. Returns at once
// where the connection has no TLS.
ConnectFault shake_hands(BackendConnection& connection, MonotonicUs deadline);

}  // namespace wsp
