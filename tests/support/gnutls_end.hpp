// GnuTLS as one end of a TLS 1.3 session.
#pragma once

#include <gnutls/gnutls.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include "support/tls_end.hpp"
#include "support/tls_pair.hpp"

namespace wsp::test {

// A certificate that is made once, and a key for tickets.
class GnuTlsIdentity {
  public:
    GnuTlsIdentity() {
        const UniqueKey key = make_key();
        const UniqueCert cert = make_cert(key.get());
        const std::string key_pem = pem([&](BIO* to) {
            PEM_write_bio_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        });
        const std::string cert_pem = pem([&](BIO* to) { PEM_write_bio_X509(to, cert.get()); });
        gnutls_certificate_allocate_credentials(&credentials);
        const gnutls_datum_t cert_data = datum(cert_pem);
        const gnutls_datum_t key_data = datum(key_pem);
        must(gnutls_certificate_set_x509_key_mem(credentials, &cert_data, &key_data,
                                                 GNUTLS_X509_FMT_PEM) == 0,
             "GnuTLS takes no certificate");
        gnutls_session_ticket_key_generate(&ticket_key);
    }
    ~GnuTlsIdentity() {
        gnutls_certificate_free_credentials(credentials);
        gnutls_free(ticket_key.data);
    }
    GnuTlsIdentity(const GnuTlsIdentity&) = delete;
    GnuTlsIdentity& operator=(const GnuTlsIdentity&) = delete;

    gnutls_certificate_credentials_t credentials = nullptr;
    gnutls_datum_t ticket_key = {};

  private:
    static std::string pem(const std::function<void(BIO*)>& write) {
        const std::unique_ptr<BIO, Freed<BIO_free_all>> bio(BIO_new(BIO_s_mem()));
        write(bio.get());
        char* data = nullptr;
        const long size = BIO_get_mem_data(bio.get(), &data);
        return {data, static_cast<std::size_t>(size)};
    }
    static gnutls_datum_t datum(const std::string& text) {
        return {reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())),
                static_cast<unsigned>(text.size())};
    }
};

class GnuTlsEnd : public TlsEnd {
  public:
    GnuTlsEnd(TlsSuite suite, TlsRole role) : role_(role) {
        static GnuTlsIdentity identity;
        static const char* const kPriorities[] = {
            "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM",
            "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-256-GCM",
            "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+CHACHA20-POLY1305",
        };
        gnutls_init(&session_,
                    (role == TlsRole::server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK);
        check(gnutls_priority_set_direct(session_, kPriorities[static_cast<std::size_t>(suite)],
                                         nullptr));
        gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, identity.credentials);
        if (role == TlsRole::server) {
            check(gnutls_session_ticket_enable_server(session_, &identity.ticket_key));
        }
        gnutls_transport_set_ptr(session_, this);
        gnutls_transport_set_push_function(session_, push);
        gnutls_transport_set_pull_function(session_, pull);
        gnutls_transport_set_pull_timeout_function(session_, pull_timeout);
    }
    ~GnuTlsEnd() override { gnutls_deinit(session_); }

    bool shake_hands() override {
        const int result = gnutls_handshake(session_);
        check(result);
        return result == GNUTLS_E_SUCCESS;
    }
    void receive(const std::string& wire) override { in_ += wire; }
    std::string take_sent() override { return std::move(out_); }
    void write(const std::string& plain, std::mt19937& random) override {
        for (std::size_t at = 0; at < plain.size();) {
            const std::size_t size = std::min<std::size_t>(plain.size() - at, 1 + random() % 16384);
            const std::size_t most = std::min<std::size_t>(16384 - size, 1000);
            const std::size_t padding = random() % 3 == 0 && most > 0 ? random() % most : 0;
            const ssize_t sent = gnutls_record_send2(session_, plain.data() + at, size, padding, 0);
            check(sent);
            at += static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
        }
    }
    std::string read() override {
        std::string plain;
        char chunk[16 * 1024];
        // It also says "again" after a message that is not data.
        for (ssize_t n = 1; n != 0 && (n != GNUTLS_E_AGAIN || taken_);) {
            taken_ = false;
            n = gnutls_record_recv(session_, chunk, sizeof chunk);
            check(n);
            plain.append(chunk, static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
            closed_ = closed_ || n == 0;
        }
        return plain;
    }
    void update_key(bool request) override {
        check(gnutls_session_key_update(session_, request ? GNUTLS_KU_PEER : 0));
    }
    void send_ticket() override {
        if (role_ == TlsRole::server) {
            check(gnutls_session_ticket_send(session_, 1, 0));
        }
    }
    void send_close_notify() override { check(gnutls_bye(session_, GNUTLS_SHUT_WR)); }
    bool got_close_notify() const override { return closed_; }
    // GnuTLS refuses more than 8 in a second.
    int key_updates_accepted() const override { return 7; }
    // GnuTLS 3.7 takes a request for an illegal parameter when it has asked itself.
    bool takes_crossed_requests() const override { return false; }

  private:
    static void check(ssize_t result) {
        if (result < 0 && gnutls_error_is_fatal(static_cast<int>(result)) != 0) {
            throw std::runtime_error(gnutls_strerror(static_cast<int>(result)));
        }
    }
    static ssize_t push(gnutls_transport_ptr_t self, const void* data, std::size_t size) {
        static_cast<GnuTlsEnd*>(self)->out_.append(static_cast<const char*>(data), size);
        return static_cast<ssize_t>(size);
    }
    static ssize_t pull(gnutls_transport_ptr_t self_void, void* to, std::size_t room) {
        auto& self = *static_cast<GnuTlsEnd*>(self_void);
        const std::size_t size = std::min(room, self.in_.size());
        if (size == 0) {
            gnutls_transport_set_errno(self.session_, EAGAIN);
            return -1;
        }
        self.taken_ = true;
        std::memcpy(to, self.in_.data(), size);
        self.in_.erase(0, size);
        return static_cast<ssize_t>(size);
    }
    static int pull_timeout(gnutls_transport_ptr_t self, unsigned) {
        return static_cast<GnuTlsEnd*>(self)->in_.empty() ? 0 : 1;
    }

    gnutls_session_t session_ = nullptr;
    TlsRole role_;
    std::string in_;
    std::string out_;
    bool taken_ = false;  // something from in_, in the last call
    bool closed_ = false;
};

inline std::unique_ptr<TlsEnd> make_gnutls_end(TlsSuite suite, TlsRole role) {
    return std::make_unique<GnuTlsEnd>(suite, role);
}

}  // namespace wsp::test
