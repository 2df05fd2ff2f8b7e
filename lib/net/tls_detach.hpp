// What an SSL keeps of the module that has shaken hands with it, callbacks, pointers and settings, and how it lets go of
// all of it. docs/decisions/0009 goes through them one by one.
#pragma once

#include <openssl/ssl.h>

#include <memory>

namespace wsp {

struct SslCtxFree {
    void operator()(SSL_CTX* ctx) const noexcept { SSL_CTX_free(ctx); }
};
using UniqueSslCtx = std::unique_ptr<SSL_CTX, SslCtxFree>;

// A context without callbacks and certificates. One serves any number of SSLs of both roles, on any thread. Null: no memory.
UniqueSslCtx make_neutral_context() noexcept;

// From here on the SSL, whose handshake is done, calls nothing and reads nothing of its former owner's but the session
// cache (below). It gets `neutral` in place of the context that it was made with, and is open again if its owner had
// marked it as shut down. False: no memory, and the SSL is of no further use.
bool detach_from_owner(SSL* ssl, SSL_CTX* neutral) noexcept;

// Has ProtectedSessions work for the SSLs that `ctx` makes: puts a function of ours in front of the context's callback for
// removed sessions. For each context of an owner, before there are threads. Without memory nothing happens.
void allow_session_protection(SSL_CTX* ctx) noexcept;

// For as long as one lives, no session leaves its owner's cache for what this thread does. OpenSSL takes a session out
// when its connection ends without close_notify or breaks a rule. The owner's callback for it (mod_ssl:
// ssl_callback_DelSessionCacheEntry) locks a mutex of all processes and uses a pool that is not for other threads, and
// the client would have to make its next handshake in full.
class ProtectedSessions {
  public:
    ProtectedSessions() noexcept;
    ~ProtectedSessions();
    ProtectedSessions(const ProtectedSessions&) = delete;
    ProtectedSessions& operator=(const ProtectedSessions&) = delete;
};

}  // namespace wsp
