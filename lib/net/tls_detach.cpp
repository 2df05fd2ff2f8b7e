// Removes, setting by setting, what the former owner has left on an SSL.
#include "net/tls_detach.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>

namespace wsp {
namespace {

using RemoveCallback = void (*)(SSL_CTX*, SSL_SESSION*);

thread_local bool sessions_are_protected = false;

// The index under which a context keeps its owner's callback.
int owners_callback_index() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

void remove_unless_protected(SSL_CTX* ctx, SSL_SESSION* session) {
    if (!sessions_are_protected) {
        void* const owners = SSL_CTX_get_ex_data(ctx, owners_callback_index());
        reinterpret_cast<RemoveCallback>(owners)(ctx, session);
    }
}

// What OpenSSL does without a callback. SSL_set_verify() ignores a null callback.
int keep_verdict(int verdict, X509_STORE_CTX*) {
    return verdict;
}

// The owner's BIOs are freed when ours replace them. They would call their callbacks for that too.
void silence(BIO* bio) {
    if (bio == nullptr) {
        return;
    }
    BIO_set_callback_ex(bio, nullptr);
#if OPENSSL_VERSION_NUMBER < 0x30000000L
    BIO_set_callback(bio, nullptr);  // the older kind of callback, which mod_ssl uses there
#endif
}

}  // namespace

UniqueSslCtx make_neutral_context() noexcept {
    UniqueSslCtx ctx(SSL_CTX_new(TLS_method()));
    if (!ctx) {
        ERR_clear_error();
        return ctx;
    }
    SSL_CTX_set_session_cache_mode(ctx.get(), SSL_SESS_CACHE_OFF);
    return ctx;
}

bool detach_from_owner(SSL* ssl, SSL_CTX* neutral) noexcept {
    // This comes first. A callback that runs during the rest looks here for the owner's connection and finds none.
    SSL_set_app_data(ssl, nullptr);
    silence(SSL_get_rbio(ssl));
    silence(SSL_get_wbio(ssl));
    // Most callbacks belong to the context, or to the certificates, which SSL_set_SSL_CTX() replaces too. It also
    // replaces the security level, but the connection was made with the old one.
    const int security_level = SSL_get_security_level(ssl);
    if (neutral == nullptr || SSL_set_SSL_CTX(ssl, neutral) != neutral) {
        return false;
    }
    SSL_set_security_level(ssl, security_level);
    SSL_set_verify(ssl, SSL_get_verify_mode(ssl), keep_verdict);
    SSL_set_info_callback(ssl, nullptr);
    SSL_set_msg_callback(ssl, nullptr);
    SSL_set_tlsext_debug_callback(ssl, nullptr);
    SSL_set_record_padding_callback(ssl, nullptr);
    // OpenSSL keeps the first context for sessions and tickets. Send no new tickets.
    SSL_set_num_tickets(ssl, 0);
    SSL_set_options(ssl, SSL_OP_NO_RENEGOTIATION);
    SSL_set_shutdown(ssl, 0);
    return true;
}

void allow_session_protection(SSL_CTX* ctx) noexcept {
    const RemoveCallback owners = SSL_CTX_sess_get_remove_cb(ctx);
    if (owners == nullptr || owners == remove_unless_protected || owners_callback_index() < 0) {
        return;
    }
    if (SSL_CTX_set_ex_data(ctx, owners_callback_index(), reinterpret_cast<void*>(owners)) == 1) {
        SSL_CTX_sess_set_remove_cb(ctx, remove_unless_protected);
    } else {
        ERR_clear_error();
    }
}

ProtectedSessions::ProtectedSessions() noexcept {
    sessions_are_protected = true;
}

ProtectedSessions::~ProtectedSessions() {
    sessions_are_protected = false;
}

}  // namespace wsp
