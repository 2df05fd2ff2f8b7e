// OpenSSL as one end of a TLS 1.3 session; and as our end until the handshake is over, when its secrets and record
// numbers are handed over.
#pragma once

#include <openssl/ssl.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>

#include "support/hex.hpp"
#include "support/tls_end.hpp"
#include "support/tls_pair.hpp"
#include "tls/traffic_secret.hpp"

namespace wsp::test {

inline const char* openssl_name(TlsSuite suite) {
    static const char* const kNames[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                         "TLS_CHACHA20_POLY1305_SHA256"};
    return kNames[static_cast<std::size_t>(suite)];
}

class OpenSslEnd : public TlsEnd {
  public:
    OpenSslEnd(TlsSuite suite, TlsRole role)
        : ctx_(make_ctx(
              TLS1_3_VERSION,
              [suite](SSL_CTX* ctx) { SSL_CTX_set_ciphersuites(ctx, openssl_name(suite)); })),
          role_(role) {
        SSL_CTX_set_keylog_callback(ctx_.get(), on_keylog);
        ssl_.reset(SSL_new(ctx_.get()));
        in_ = BIO_new(BIO_s_mem());
        out_ = BIO_new(BIO_s_mem());
        BIO_set_mem_eof_return(in_, -1);
        SSL_set_bio(ssl_.get(), in_, out_);
        SSL_set_app_data(ssl_.get(), this);
        SSL_set_msg_callback(ssl_.get(), on_message);
        SSL_set_msg_callback_arg(ssl_.get(), this);
        role == TlsRole::server ? SSL_set_accept_state(ssl_.get())
                                : SSL_set_connect_state(ssl_.get());
    }

    bool shake_hands() override {
        const int result = SSL_do_handshake(ssl_.get());
        check(result);
        return result == 1;
    }
    void receive(const std::string& wire) override {
        if (!wire.empty()) {
            BIO_write(in_, wire.data(), static_cast<int>(wire.size()));
        }
    }
    std::string take_sent() override {
        std::string wire(BIO_ctrl_pending(out_), '\0');
        if (!wire.empty()) {
            BIO_read(out_, wire.data(), static_cast<int>(wire.size()));
        }
        return wire;
    }
    void write(const std::string& plain, std::mt19937& random) override {
        for (std::size_t at = 0; at < plain.size();) {
            const std::size_t size = std::min<std::size_t>(plain.size() - at, 1 + random() % 17000);
            SSL_set_block_padding(ssl_.get(), random() % 3 == 0 ? 1 + random() % 1000 : 0);
            check(SSL_write(ssl_.get(), plain.data() + at, static_cast<int>(size)));
            at += size;
        }
    }
    std::string read() override {
        std::string plain;
        char chunk[16 * 1024];
        int n = 0;
        while ((n = SSL_read(ssl_.get(), chunk, sizeof chunk)) > 0) {
            plain.append(chunk, static_cast<std::size_t>(n));
        }
        if (!got_close_notify()) {
            check(n);
        }
        ERR_clear_error();
        return plain;
    }
    void update_key(bool request) override {
        // The KeyUpdate before has to be on its way.
        check(SSL_do_handshake(ssl_.get()));
        check(SSL_key_update(ssl_.get(),
                             request ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED));
        check(SSL_do_handshake(ssl_.get()));
    }
    void send_ticket() override {
        if (role_ == TlsRole::server) {
            check(SSL_new_session_ticket(ssl_.get()));
            check(SSL_do_handshake(ssl_.get()));
        }
    }
    void send_close_notify() override { SSL_shutdown(ssl_.get()); }
    bool got_close_notify() const override {
        return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
    }
    int key_updates_accepted() const override { return 1000000; }
    bool takes_crossed_requests() const override { return true; }

    // --- as our end: what is handed over ---

    // The traffic secret of who sends as `sender`.
    TrafficSecret secret_of(TlsRole sender) const {
        const std::string& secret = secrets_[static_cast<std::size_t>(sender)];
        return {reinterpret_cast<const std::uint8_t*>(secret.data()), secret.size()};
    }
    // Records since the sender's Finished.
    std::uint64_t sent() const { return records_[1]; }
    std::uint64_t received() const { return records_[0]; }

  private:
    void check(int result) const {
        const int error = SSL_get_error(ssl_.get(), result);
        if (result != 1 && (error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL)) {
            char text[256];
            ERR_error_string_n(ERR_get_error(), text, sizeof text);
            ERR_clear_error();
            throw std::runtime_error(text);
        }
    }
    static void on_keylog(const SSL* ssl, const char* line) {
        auto& self = *static_cast<OpenSslEnd*>(SSL_get_app_data(ssl));
        const std::string text = line;
        for (const TlsRole role : {TlsRole::client, TlsRole::server}) {
            const std::string label =
                role == TlsRole::client ? "CLIENT_TRAFFIC_SECRET_0 " : "SERVER_TRAFFIC_SECRET_0 ";
            if (text.compare(0, label.size(), label) == 0) {
                self.secrets_[static_cast<std::size_t>(role)] =
                    from_hex(text.substr(text.rfind(' ')));
            }
        }
    }
    static void on_message(int is_write, int, int type, const void* bytes, std::size_t size, SSL*,
                           void* self_void) {
        auto& records = static_cast<OpenSslEnd*>(self_void)->records_[is_write != 0 ? 1 : 0];
        if (type == SSL3_RT_HEADER) {
            ++records;
        } else if (type == SSL3_RT_HANDSHAKE && size > 0 &&
                   *static_cast<const char*>(bytes) == SSL3_MT_FINISHED) {
            records = 0;
        }
    }

    UniqueSslCtx ctx_;
    UniqueSsl ssl_;
    BIO* in_ = nullptr;  // ssl_'s
    BIO* out_ = nullptr;
    TlsRole role_;
    std::string secrets_[2];
    std::uint64_t records_[2] = {};
};

inline std::unique_ptr<TlsEnd> make_openssl_end(TlsSuite suite, TlsRole role) {
    return std::make_unique<OpenSslEnd>(suite, role);
}

}  // namespace wsp::test
