// Detaches an SSL object from the module that has made it and has done the handshake: removes its callbacks, pointers
// and settings. docs/decisions/0009 goes through them one by one.
#pragma once

#include <openssl/ssl.h>

#include <memory>

namespace wsp {

struct SslCtxFree {
    void operator()(SSL_CTX* ctx) const noexcept { SSL_CTX_free(ctx); }
};
using UniqueSslCtx = std::unique_ptr<SSL_CTX, SslCtxFree>;

// Returns a context without callbacks and certificates. One context serves any number of SSLs, as client or as server,
// on any thread. Null when there is no memory.
UniqueSslCtx make_neutral_context() noexcept;

// Afterwards the SSL, whose handshake is done, calls and reads nothing of its former owner except the session cache
// (see below). Its context is replaced by `neutral`. If the owner had marked the SSL as shut down, it is open again.
// Returns false when there is no memory; the SSL must not be used then.
bool detach_from_owner(SSL* ssl, SSL_CTX* neutral) noexcept;

// Makes ProtectedSessions work for the SSLs of `ctx`: replaces the context's callback for removed sessions by one of
// ours, which calls the original one unless sessions are protected. Must be called for each context of an owner, before
// the process has threads. Does nothing when there is no memory.
void allow_session_protection(SSL_CTX* ctx) noexcept;

// While an object of this class lives, nothing that this thread does removes a session from its owner's cache. OpenSSL
// removes a session when its connection ends without close_notify or breaks a rule. The callback of mod_ssl for that
// (ssl_callback_DelSessionCacheEntry) locks a mutex that all processes share, and uses a pool that other threads must
// not use. And the client would need a full handshake the next time.
class ProtectedSessions {
  public:
    ProtectedSessions() noexcept;
    ~ProtectedSessions();
    ProtectedSessions(const ProtectedSessions&) = delete;
    ProtectedSessions& operator=(const ProtectedSessions&) = delete;
};

}  // namespace wsp
