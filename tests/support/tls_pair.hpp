// A TLS connection inside this process: our end as mod_ssl would leave it, ready for a TlsStream,
// and a peer whose records a test can see, cut and hold back.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "net/record_stream.hpp"
#include "net/socket_stream.hpp"
#include "net/tls_detach.hpp"
#include "net/tls_stream.hpp"
#include "support/moving_stream.hpp"
#include "support/sockets.hpp"

namespace wsp::test {

template <auto free_it>
struct Freed {
    template <class T>
    void operator()(T* object) const {
        free_it(object);
    }
};
using UniqueKey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using UniqueCert = std::unique_ptr<X509, Freed<X509_free>>;
inline void must(bool done, const char* what) {
    if (!done)
        throw std::runtime_error(std::string("OpenSSL: ") + what);
}

inline UniqueKey make_key() {
    const std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>> ctx(
        EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nullptr));
    EVP_PKEY* key = nullptr;
    must(EVP_PKEY_keygen_init(ctx.get()) == 1 &&
             EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx.get(), NID_X9_62_prime256v1) == 1 &&
             EVP_PKEY_keygen(ctx.get(), &key) == 1,
         "no key");
    return UniqueKey(key);
}

inline UniqueCert make_cert(EVP_PKEY* key) {
    UniqueCert cert(X509_new());
    ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert.get()), 3600);
    X509_NAME* const name = X509_get_subject_name(cert.get());
    const auto* const common = reinterpret_cast<const unsigned char*>("localhost");
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common, -1, -1, 0);
    X509_set_issuer_name(cert.get(), name);
    X509_set_pubkey(cert.get(), key);
    must(X509_sign(cert.get(), key, EVP_sha256()) > 0, "no certificate");
    return cert;
}

// A context for both roles, with a certificate made once.
inline UniqueSslCtx make_ctx(int version, const std::function<void(SSL_CTX*)>& wish) {
    static const UniqueKey key = make_key();
    static const UniqueCert cert = make_cert(key.get());
    UniqueSslCtx ctx(SSL_CTX_new(TLS_method()));
    must(SSL_CTX_set_min_proto_version(ctx.get(), version) == 1 &&
             SSL_CTX_set_max_proto_version(ctx.get(), version) == 1 &&
             SSL_CTX_use_certificate(ctx.get(), cert.get()) == 1 &&
             SSL_CTX_use_PrivateKey(ctx.get(), key.get()) == 1,
         "no context");
    wish(ctx.get());
    return ctx;
}

// The far end. What it writes stays in memory until send().
class TlsPeer {
  public:
    TlsPeer(SSL_CTX* ctx, UniqueFd fd)
        : fd(std::move(fd)),
          ssl(SSL_new(ctx)),
          in_(BIO_new(BIO_s_mem())),
          out_(BIO_new(BIO_s_mem())) {
        SSL_set_bio(ssl.get(), in_, out_);
    }

    // Encrypts; one record per 16 KiB.
    void write(const std::string& plain) {
        must(SSL_write(ssl.get(), plain.data(), static_cast<int>(plain.size())) ==
                 static_cast<int>(plain.size()),
             "the peer cannot write");
    }
    // Puts at most `most` bytes of records on the wire. Returns how many there were.
    std::size_t send(std::size_t most = SIZE_MAX) {
        std::string wire(std::min<std::size_t>(most, BIO_ctrl_pending(out_)), '\0');
        if (!wire.empty())
            BIO_read(out_, wire.data(), static_cast<int>(wire.size()));
        must(send_all(fd.get(), wire), "the peer cannot send");
        return wire.size();
    }
    void say(const std::string& plain) {
        write(plain);
        send();
    }
    // What has not been sent will not be.
    void drop_unsent() { BIO_reset(out_); }
    void close_notify() {
        SSL_shutdown(ssl.get());
        send();
    }
    void fin() { ::shutdown(fd.get(), SHUT_WR); }

    // Takes from the wire what is there now. False at its end.
    bool receive() {
        char wire[16 * 1024];
        ssize_t n = 0;
        while ((n = ::recv(fd.get(), wire, sizeof wire, MSG_DONTWAIT)) > 0)
            BIO_write(in_, wire, static_cast<int>(n));
        return n != 0;
    }
    // Decrypts what has been received.
    std::string read() {
        std::string plain;
        char chunk[16 * 1024];
        for (int n = 0; (n = SSL_read(ssl.get(), chunk, sizeof chunk)) > 0;)
            plain.append(chunk, static_cast<std::size_t>(n));
        ERR_clear_error();
        return plain;
    }
    // Waits until `size` bytes have come, or the end.
    std::string hear(std::size_t size) {
        std::string plain = read();
        while (plain.size() < size && wait_for(fd.get(), POLLIN) && receive())
            plain += read();
        return plain + read();
    }
    // Whether the other side has said that it will send no more.
    bool got_close_notify() const {
        return (SSL_get_shutdown(ssl.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
    }

    UniqueFd fd;
    UniqueSsl ssl;

  private:
    BIO* in_;  // ssl's
    BIO* out_;
};

// What the ends' contexts are to be like before they shake hands.
struct TlsWishes {
    std::function<void(SSL_CTX*)> ours = [](SSL_CTX*) {};
    std::function<void(SSL_CTX*)> theirs = [](SSL_CTX*) {};
};

// Shaken hands, over a socket pair. `we_accept`: our end is the server's.
class TlsPair {
  public:
    explicit TlsPair(bool we_accept = true, int version = TLS1_3_VERSION,
                     SocketPair over = unix_pair(), const TlsWishes& wishes = {})
        : ctx(make_ctx(version, wishes.ours)),
          peer_ctx(make_ctx(version, wishes.theirs)),
          fd(std::move(over.ours)),
          ssl(SSL_new(ctx.get())),
          peer(peer_ctx.get(), std::move(over.theirs)) {
        TlsSecrets::collect_from(ctx.get());
        secrets->attach(ssl.get());
        std::signal(SIGPIPE, SIG_IGN);  // as httpd does: OpenSSL writes without MSG_NOSIGNAL
        SSL_set_fd(ssl.get(), fd.get());
        we_accept ? SSL_set_accept_state(ssl.get()) : SSL_set_connect_state(ssl.get());
        we_accept ? SSL_set_connect_state(peer.ssl.get()) : SSL_set_accept_state(peer.ssl.get());
        prepare_tunnel_socket(fd.get());
        shake_hands();
    }

    // Our end, handed over. It stays with OpenSSL.
    std::unique_ptr<TlsStream> stream() {
        TlsSecrets::detach(ssl.get());
        return std::make_unique<TlsStream>(std::move(ssl), std::move(fd), neutral());
    }
    // The same, but it may leave OpenSSL.
    std::unique_ptr<TlsStream> leaving_stream() {
        return std::make_unique<TlsStream>(std::move(ssl), std::move(fd), neutral(),
                                           std::move(secrets));
    }
    // Our end, after it has left OpenSSL.
    std::unique_ptr<Stream> own_records() {
        std::unique_ptr<Stream> own = leaving_stream()->successor(workspace());
        must(own != nullptr, "the session cannot leave");
        return own;
    }
    // Each in turn (Catch2's GENERATE): with OpenSSL, with records of our own, and with those moving before each call.
    std::unique_ptr<Stream> any_stream() {
        enum Kind { openssl, own, moving };
        const Kind kind =
            SSL_version(ssl.get()) == TLS1_3_VERSION ? GENERATE(openssl, own, moving) : openssl;
        CAPTURE(kind);
        if (kind == openssl) {
            return stream();
        }
        return kind == own ? own_records()
                           : std::make_unique<MovingStream>(own_records(), workspace());
    }

    static RecordWorkspace& workspace() {
        static const auto shared = std::make_unique<RecordWorkspace>();
        return *shared;
    }

  private:
    static SSL_CTX* neutral() {
        static const UniqueSslCtx shared = make_neutral_context();
        return shared.get();
    }

    void shake_hands() {
        for (int i = 0; i < 10; ++i) {
            const int ours = SSL_do_handshake(ssl.get());
            peer.receive();
            const int theirs = SSL_do_handshake(peer.ssl.get());
            peer.send();
            ERR_clear_error();
            if (ours == 1 && theirs == 1)
                return;
        }
        throw std::runtime_error("no TLS handshake");
    }

  public:
    UniqueSslCtx ctx;  // our end's first one
    UniqueSslCtx peer_ctx;
    UniqueFd fd;
    std::unique_ptr<TlsSecrets> secrets = std::make_unique<TlsSecrets>();
    UniqueSsl ssl;
    TlsPeer peer;
};

}  // namespace wsp::test
