// What protects the records of one direction of a TLS 1.3 session: secret, key, IV and the number of the next record.
// RecordReader and RecordWriter have one each; RecordCrypto alone uses and changes it. Pure: no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/image_fields.hpp"
#include "tls/suite.hpp"
#include "tls/traffic_secret.hpp"

namespace wsp {

// One holder at a time: it can be moved and not copied, so that no record number is used twice under one key. What it
// was moved from, and what is destroyed, is overwritten. The thread is that of its holder.
class RecordKeys {
  public:
    static constexpr std::size_t kMaxKey = 32;
    static constexpr std::size_t kIvSize = 12;  // of all three suites (RFC 8446 5.3)

    // Without keys: nothing can be sealed or opened with it.
    RecordKeys() noexcept = default;
    // Key and IV are zeros until RecordCrypto::derive() has been here.
    RecordKeys(TlsSuite suite, TrafficSecret&& secret, std::uint64_t sequence) noexcept
        : sequence_(sequence), secret_(std::move(secret)), suite_(suite) {}
    ~RecordKeys() { wipe(); }
    RecordKeys(RecordKeys&& other) noexcept { take(other); }
    RecordKeys& operator=(RecordKeys&& other) noexcept {
        if (this != &other) {
            take(other);
        }
        return *this;
    }
    RecordKeys(const RecordKeys&) = delete;
    RecordKeys& operator=(const RecordKeys&) = delete;

    // False before RecordCrypto::derive(), after wipe() and after a move.
    bool has_key() const noexcept { return has_key_; }
    TlsSuite suite() const noexcept { return suite_; }
    // The number of the next record under this key (RFC 8446 5.3).
    std::uint64_t sequence() const noexcept { return sequence_; }
    // Overwrites everything; it is without keys afterwards.
    void wipe() noexcept {
        secret_.wipe();
        OPENSSL_cleanse(key_.data(), key_.size());
        OPENSSL_cleanse(iv_.data(), iv_.size());
        sequence_ = 0;
        has_key_ = false;
    }

    // The image has a second copy of the keys: whoever sends it destroys one of the two (tunnel/tunnel_move.hpp).
    template <class Self, class Fields>
    static void each_member(Self& self, Fields& fields) {
        WSP_EACH_MEMBER(fields, self, sequence_, secret_, key_, iv_, suite_, has_key_);
    }
    bool is_sound() const noexcept {
        return secret_.size() == (has_key_ ? secret_size(suite_) : 0);
    }

  private:
    friend class RecordCrypto;

    void take(RecordKeys& other) noexcept {
        sequence_ = other.sequence_;
        secret_ = std::move(other.secret_);
        key_ = other.key_;
        iv_ = other.iv_;
        suite_ = other.suite_;
        has_key_ = other.has_key_;
        other.wipe();
    }

    std::uint64_t sequence_ = 0;
    TrafficSecret secret_;
    std::array<std::uint8_t, kMaxKey> key_{};  // zeros behind the key
    std::array<std::uint8_t, kIvSize> iv_{};
    TlsSuite suite_ = TlsSuite::aes_128_gcm_sha256;
    bool has_key_ = false;  // key_ and iv_ are those of secret_
};

}  // namespace wsp
