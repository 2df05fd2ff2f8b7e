// An owner of an SSL that has left every callback behind that OpenSSL has for it, each of which tells when it is called.
#pragma once

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <set>
#include <string>

#include "net/tls_stream.hpp"

namespace wsp::test {

// The names of those that were called since the last calls_to_owner.clear().
inline std::set<std::string> calls_to_owner;

inline int called(const char* what) {
    calls_to_owner.insert(what);
    return 0;
}

// Of the context: read there whenever OpenSSL wants them.
inline void leave_callbacks(SSL_CTX* ctx) {
    SSL_CTX_set_info_callback(ctx, [](const SSL*, int, int) { called("info"); });
    SSL_CTX_set_msg_callback(
        ctx, [](int, int, int, const void*, std::size_t, SSL*, void*) { called("message"); });
    SSL_CTX_set_keylog_callback(ctx, [](const SSL*, const char*) { called("keylog"); });
    SSL_CTX_set_client_cert_cb(ctx, [](SSL*, X509**, EVP_PKEY**) { return called("client_cert"); });
    SSL_CTX_set_cert_cb(
        ctx, [](SSL*, void*) { return called("cert"); }, nullptr);
    SSL_CTX_set_cert_verify_callback(
        ctx, [](X509_STORE_CTX*, void*) { return called("cert_verify"); }, nullptr);
    SSL_CTX_set_verify(ctx, SSL_CTX_get_verify_mode(ctx),
                       [](int, X509_STORE_CTX*) { return called("verify"); });
    SSL_CTX_set_alpn_select_cb(
        ctx,
        [](SSL*, const unsigned char**, unsigned char*, const unsigned char*, unsigned, void*) {
            return called("alpn");
        },
        nullptr);
    SSL_CTX_set_tlsext_servername_callback(
        ctx, +[](SSL*, int*, void*) { return called("servername"); });
    SSL_CTX_set_tlsext_status_cb(
        ctx, +[](SSL*, void*) { return called("status"); });
    SSL_CTX_set_client_hello_cb(
        ctx, [](SSL*, int*, void*) { return called("client_hello"); }, nullptr);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, [](SSL*, SSL_SESSION*) { return called("session new"); });
    SSL_CTX_sess_set_get_cb(ctx, [](SSL*, const unsigned char*, int, int*) -> SSL_SESSION* {
        called("session get");
        return nullptr;
    });
    SSL_CTX_sess_set_remove_cb(ctx, [](SSL_CTX*, SSL_SESSION*) { called("session remove"); });
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    SSL_CTX_set_tlsext_ticket_key_evp_cb(
        ctx, [](SSL*, unsigned char*, unsigned char*, EVP_CIPHER_CTX*, EVP_MAC_CTX*, int) {
            return called("ticket key");
        });
#endif
    SSL_CTX_set_default_passwd_cb(ctx, [](char*, int, int, void*) { return called("password"); });
}

// Of the SSL itself: copied there when it was made, or set on it later.
inline void leave_callbacks(SSL* ssl) {
    static int owners_connection;
    SSL_set_app_data(ssl, &owners_connection);
    SSL_set_info_callback(ssl, [](const SSL*, int, int) { called("info"); });
    SSL_set_msg_callback(
        ssl, [](int, int, int, const void*, std::size_t, SSL*, void*) { called("message"); });
    SSL_set_cert_cb(
        ssl, [](SSL*, void*) { return called("cert"); }, nullptr);
    SSL_set_verify(ssl, SSL_get_verify_mode(ssl),
                   [](int, X509_STORE_CTX*) { return called("verify"); });
    SSL_set_tlsext_debug_callback(
        ssl, +[](SSL*, int, int, const unsigned char*, int, void*) { called("extension"); });
    SSL_set_record_padding_callback(ssl, [](SSL*, int, std::size_t, void*) {
        return static_cast<std::size_t>(called("padding"));
    });
    SSL_set_security_callback(ssl, [](const SSL*, const SSL_CTX*, int, int, int, void*, void*) {
        called("security");
        return 1;
    });
    for (BIO* bio : {SSL_get_rbio(ssl), SSL_get_wbio(ssl)})
        BIO_set_callback_ex(bio,
                            [](BIO*, int, const char*, std::size_t, int, long, int result,
                               std::size_t*) -> long { return called("BIO"), result; });
}

}  // namespace wsp::test
