// Collects what a TLS 1.3 session needs to go on without its SSL object: per direction the traffic secret, and how many
// records have been protected with it (RFC 8446 5.3, 7.1). Both come through public callbacks of OpenSSL: the key log
// callback of the SSL_CTX has the secrets, the message callback of the SSL sees each record.
//
// docs/decisions/0013 says what this relies on.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/table.hpp"
#include "tls/record_reader.hpp"
#include "tls/record_writer.hpp"

namespace wsp {

// What keeps a TLS session with OpenSSL.
enum class TlsDeparture : std::uint8_t {
#define WSP_ROW(name, ...) name,
#include "net/tls_departure.def"
};

template <>
struct Table<TlsDeparture> {
    struct Row {
        std::string_view name;
        std::string_view text;
    };
    static constexpr Row kRows[] = {
#define WSP_ROW(name, text) {#name, text},
#include "net/tls_departure.def"
    };
};

// The secrets and counts of one session. Made before the handshake and attached to the SSL, which keeps its address.
// Must live until the SSL is freed or detach() has been called. Used by the thread that uses the SSL. Wipes itself.
class TlsSecrets {
  public:
    // Must be called for each context of an owner, before the process has threads: hands the secrets of its sessions
    // to their TlsSecrets. A key log callback that is there already is called as well. Does nothing without memory.
    static void collect_from(SSL_CTX* ctx) noexcept;

    TlsSecrets() = default;
    TlsSecrets(const TlsSecrets&) = delete;
    TlsSecrets& operator=(const TlsSecrets&) = delete;

    // `ssl` has not begun its handshake. Replaces its message callback.
    void attach(SSL* ssl) noexcept;
    // Again, after the message callback of `ssl` has been removed. No record may have passed meanwhile.
    void count_again(SSL* ssl) noexcept;
    static void detach(SSL* ssl) noexcept;

    // What would keep the session of `ssl` with OpenSSL now. `handshake` may pass by itself; every other reason stays.
    TlsDeparture obstacle(const SSL* ssl) const noexcept;

    // The two directions, as they are after the last record. Call only when obstacle() is none, OpenSSL holds no part
    // of a record, and `ssl` is not used any more. The secrets leave this object.
    std::optional<RecordReader> take_reader(const SSL* ssl, RecordCrypto& crypto) noexcept;
    std::optional<RecordWriter> take_writer(const SSL* ssl, RecordCrypto& crypto) noexcept;

  private:
    // The records of one direction.
    struct Count {
        std::uint64_t records = 0;  // since the sender's Finished
        bool finished = false;
    };

    static void on_key_log(const SSL* ssl, const char* line) noexcept;
    static void on_message(int write, int version, int type, const void* data, std::size_t size,
                           SSL* ssl, void* secrets) noexcept;
    void note_secret(std::string_view line) noexcept;
    void note_handshake(Count& count, std::uint8_t type) noexcept;

    TrafficSecret clients_;  // protects what the client sends
    TrafficSecret servers_;
    Count read_;
    Count written_;
    bool keys_updated_ = false;
};

}  // namespace wsp
