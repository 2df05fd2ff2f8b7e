// What we keep with every connection of httpd, so that it can be handed off later: mod_ssl's SSL object, and the
// handoff that waits for the connection's end. Lives in the connection's pool; used by the thread that serves the
// connection.
#pragma once

#include <memory>

#include "httpd/httpd.hpp"
#include "net/tls_secrets.hpp"

namespace wsp {

class Handoff;

struct ConnectionContext {
    bool offer_decided = false;  // see connect_offer.hpp
    SSL* ssl = nullptr;          // mod_ssl's; null without TLS, or when TLS is not mod_ssl's
    // Attached to `ssl`, which is gone before this context is. Null without TLS, or without memory.
    std::unique_ptr<TlsSecrets> secrets;
    // Released when the connection is destroyed. The tunnel starts when both connections of its handoff have released
    // it.
    std::shared_ptr<Handoff> handoff;
};

// pre_connection: makes the context. Must run first of all: the context's cleanup is then registered before mod_ssl's,
// and so runs after it (APR runs cleanups last-in first-out), when nothing of httpd uses the connection any more.
void note_connection(conn_rec* c);

// mod_ssl's ssl_pre_handshake: notes the SSL object, and collects its secrets from now on.
void note_ssl(conn_rec* c, SSL* ssl);

// Null for an HTTP/2 stream, and for a connection that was opened before the module was loaded.
ConnectionContext* connection_context_of(conn_rec* c);

}  // namespace wsp
