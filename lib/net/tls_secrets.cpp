// The callbacks that collect secrets and count records, and the test whether a session can leave.
#include "net/tls_secrets.hpp"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <utility>

namespace wsp {
namespace {

using KeyLog = void (*)(const SSL*, const char*);

// Types of handshake messages (RFC 8446 4).
constexpr std::uint8_t kFinished = 20;
constexpr std::uint8_t kKeyUpdate = 24;

// Where an SSL keeps its TlsSecrets, and a context the callback of its owner. Without functions that OpenSSL would call
// on its own: they would outlive a module that is unloaded.
int secrets_index() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}
int owners_key_log_index() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

int digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// An empty secret when `hex` is none.
TrafficSecret secret_of(std::string_view hex) {
    std::array<std::uint8_t, TrafficSecret::kMaxSize> bytes{};
    const std::size_t size = hex.size() / 2;
    if (hex.size() % 2 != 0 || size > bytes.size()) {
        return {};
    }
    bool good = true;
    for (std::size_t i = 0; i < size; ++i) {
        const int high = digit(hex[2 * i]);
        const int low = digit(hex[2 * i + 1]);
        good = good && high >= 0 && low >= 0;
        bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    TrafficSecret secret = good ? TrafficSecret(bytes.data(), size) : TrafficSecret();
    OPENSSL_cleanse(bytes.data(), bytes.size());
    return secret;
}

std::optional<TlsSuite> suite_of(const SSL* ssl) {
    const SSL_CIPHER* const cipher = SSL_get_current_cipher(ssl);
    return cipher != nullptr ? tls_suite_of(SSL_CIPHER_get_protocol_id(cipher)) : std::nullopt;
}

bool limits_records(const SSL* ssl) {
    const SSL_SESSION* const session = SSL_get_session(ssl);
    return session != nullptr &&
           SSL_SESSION_get_max_fragment_length(session) != TLSEXT_max_fragment_length_DISABLED;
}

bool has_early_data(const SSL* ssl) {
    return SSL_get_early_data_status(ssl) == SSL_EARLY_DATA_ACCEPTED;
}

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
constexpr bool kHasKdf = true;
bool is_fips() {
    return EVP_default_properties_is_fips_enabled(nullptr) == 1;
}
bool is_in_kernel(const SSL* ssl) {
    BIO* const out = SSL_get_wbio(ssl);
    BIO* const in = SSL_get_rbio(ssl);
    return (out != nullptr && BIO_get_ktls_send(out)) || (in != nullptr && BIO_get_ktls_recv(in));
}
#else
constexpr bool kHasKdf = false;
bool is_fips() {
    return false;
}
bool is_in_kernel(const SSL*) {
    return false;
}
#endif

}  // namespace

void TlsSecrets::collect_from(SSL_CTX* ctx) noexcept {
    const KeyLog owners = SSL_CTX_get_keylog_callback(ctx);
    if (owners == on_key_log || secrets_index() < 0 || owners_key_log_index() < 0) {
        return;
    }
    if (owners != nullptr &&
        SSL_CTX_set_ex_data(ctx, owners_key_log_index(), reinterpret_cast<void*>(owners)) != 1) {
        ERR_clear_error();
        return;
    }
    SSL_CTX_set_keylog_callback(ctx, on_key_log);
}

void TlsSecrets::on_key_log(const SSL* ssl, const char* line) noexcept {
    void* const owners = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), owners_key_log_index());
    if (owners != nullptr) {
        reinterpret_cast<KeyLog>(owners)(ssl, line);
    }
    if (void* const secrets = SSL_get_ex_data(ssl, secrets_index())) {
        static_cast<TlsSecrets*>(secrets)->note_secret(line);
    }
}

// A line of the key log: "<label> <the client's random> <secret>", the last two in hexadecimal.
void TlsSecrets::note_secret(std::string_view line) noexcept {
    const std::string_view label = line.substr(0, line.find(' '));
    const std::string_view secret = line.substr(line.rfind(' ') + 1);
    if (label == "CLIENT_TRAFFIC_SECRET_0") {
        clients_ = secret_of(secret);
    } else if (label == "SERVER_TRAFFIC_SECRET_0") {
        servers_ = secret_of(secret);
    }
}

void TlsSecrets::attach(SSL* ssl) noexcept {
    if (secrets_index() < 0 || SSL_set_ex_data(ssl, secrets_index(), this) != 1) {
        ERR_clear_error();
        return;  // no secrets will come
    }
    count_again(ssl);
}

void TlsSecrets::count_again(SSL* ssl) noexcept {
    SSL_set_msg_callback(ssl, on_message);
    SSL_set_msg_callback_arg(ssl, this);
}

void TlsSecrets::detach(SSL* ssl) noexcept {
    SSL_set_msg_callback(ssl, nullptr);
    SSL_set_ex_data(ssl, secrets_index(), nullptr);
}

// OpenSSL calls this for the header of each record, and for each handshake message when it is complete; for a message
// that it writes, after the record.
void TlsSecrets::on_message(int write, int, int type, const void* data, std::size_t size, SSL*,
                            void* secrets) noexcept {
    TlsSecrets& self = *static_cast<TlsSecrets*>(secrets);
    Count& count = write != 0 ? self.written_ : self.read_;
    if (type == SSL3_RT_HEADER) {
        ++count.records;
    } else if (type == SSL3_RT_HANDSHAKE && size > 0) {
        self.note_handshake(count, *static_cast<const std::uint8_t*>(data));
    }
}

// After a side's Finished its records are under application keys, and numbered from 0. A client that is asked for its
// certificate later sends a second Finished; that changes no keys (RFC 8446 4.6.2).
void TlsSecrets::note_handshake(Count& count, std::uint8_t type) noexcept {
    if (type == kFinished && !count.finished) {
        count.finished = true;
        count.records = 0;
    }
    keys_updated_ = keys_updated_ || type == kKeyUpdate;
}

TlsDeparture TlsSecrets::obstacle(const SSL* ssl) const noexcept {
    const auto suite = suite_of(ssl);
    const bool has_secrets = suite && clients_.size() == secret_size(*suite) &&
                             servers_.size() == secret_size(*suite) && read_.finished &&
                             written_.finished;
    const std::pair<bool, TlsDeparture> obstacles[] = {
        {!kHasKdf, TlsDeparture::old_openssl},
        {SSL_version(ssl) != TLS1_3_VERSION, TlsDeparture::version},
        {!suite, TlsDeparture::cipher_suite},
        {is_fips(), TlsDeparture::fips},
        {keys_updated_, TlsDeparture::key_update},
        {has_early_data(ssl), TlsDeparture::early_data},
        {limits_records(ssl), TlsDeparture::record_limit},
        {is_in_kernel(ssl), TlsDeparture::kernel_tls},
        {SSL_get_shutdown(ssl) != 0, TlsDeparture::shut_down},
        {SSL_is_init_finished(ssl) != 1, TlsDeparture::handshake},
        {!has_secrets, TlsDeparture::no_secrets},
    };
    for (const auto& [stands, what] : obstacles) {
        if (stands) {
            return what;
        }
    }
    return TlsDeparture::none;
}

std::optional<RecordReader> TlsSecrets::take_reader(const SSL* ssl, RecordCrypto& crypto) noexcept {
    const bool from_client = SSL_is_server(ssl) == 1;
    return RecordReader::make(crypto, *suite_of(ssl), std::move(from_client ? clients_ : servers_),
                              read_.records, from_client ? TlsRole::client : TlsRole::server);
}

std::optional<RecordWriter> TlsSecrets::take_writer(const SSL* ssl, RecordCrypto& crypto) noexcept {
    const bool to_client = SSL_is_server(ssl) == 1;
    return RecordWriter::make(crypto, *suite_of(ssl), std::move(to_client ? servers_ : clients_),
                              written_.records);
}

}  // namespace wsp
