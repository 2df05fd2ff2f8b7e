// What we note on every connection that httpd opens, to be able to take it away later: mod_ssl's
// SSL object, and the handoff that waits for the connection's end. Lives in the connection's
// pool; touched by the thread that serves the connection.
#pragma once

#include <memory>

#include "httpd/httpd.hpp"

namespace wsp {

class Handoff;

struct ConnectionContext {
    bool offer_decided = false;  // see connect_offer.hpp
    SSL* ssl = nullptr;          // mod_ssl's; null without TLS, or when TLS is not mod_ssl's
    // Let go of when the connection is no more: the last of a handoff's two connections lets the
    // tunnel start.
    std::shared_ptr<Handoff> handoff;
};

// pre_connection. Run first of all: the record's cleanup is then registered before mod_ssl's and
// runs after it (APR runs cleanups last-in first-out), when nothing of httpd looks at the
// connection any more.
void note_connection(conn_rec* c);

// mod_ssl's ssl_pre_handshake.
void note_ssl(conn_rec* c, SSL* ssl);

// Null for a connection that was opened before the module was loaded, or is an HTTP/2 stream.
ConnectionContext* connection_context_of(conn_rec* c);

}  // namespace wsp
