// The cryptography of TLS 1.3 records: one AEAD operation, and the derivation of keys, by OpenSSL's EVP. It knows
// nothing of what is in a record (tls/record_reader.hpp, tls/record_writer.hpp).
//
// OpenSSL's contexts are large, and making them is slow. So they belong to a loop, and a tunnel has 112 bytes of
// RecordKeys. The key of a tunnel is put into a context when another one is there.
//
// It needs OpenSSL 3. Built with an older one, valid() is false and everything fails.
#pragma once

#include <openssl/evp.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "tls/record_keys.hpp"

struct evp_kdf_ctx_st;  // OpenSSL 3's EVP_KDF_CTX, which older ones do not declare

namespace wsp {

inline constexpr std::size_t kTagSize = 16;  // of all three suites

// One loop's, and its thread's. RecordKeys do not refer to it, and may be used with another one in each call. It keeps
// copies of the keys that it used last, one for each suite and direction, until others take their place or until it is
// destroyed; both overwrite them. More of them (a cache of contexts) gain 0.1 us a record at best, and cost 1.2 KB
// each.
class RecordCrypto {
  public:
    // Allocates. Does not throw; see valid().
    RecordCrypto() noexcept;
    ~RecordCrypto();
    RecordCrypto(const RecordCrypto&) = delete;
    RecordCrypto& operator=(const RecordCrypto&) = delete;

    // There was memory for all contexts, and OpenSSL has all three suites. Otherwise everything below returns false.
    bool valid() const noexcept { return valid_; }

    // Derives key and IV from the secret (RFC 8446 7.3). The record number stays. False: no memory, or the secret's
    // size is not its suite's; the keys are wiped then.
    bool derive(RecordKeys& keys) noexcept;
    // The next secret of the direction, with its key and IV (RFC 8446 7.2); record number 0 is next. False: no memory;
    // the keys are wiped then.
    bool update(RecordKeys& keys) noexcept;

    // The pieces of a record: `header` is authenticated, and 5 bytes.
    //
    // Encrypts `size` bytes at `plain` and, behind them, `type`. Writes size + 1 + kTagSize bytes to `to`, which may be
    // `plain`, or memory that does not overlap it. Uses a record number, also when it fails. False: no keys, no memory,
    // or no record number is left.
    bool seal(RecordKeys& keys, const std::uint8_t* header, const std::uint8_t* plain,
              std::size_t size, std::uint8_t type, std::uint8_t* to) noexcept;
    // Decrypts `size` bytes at `sealed`, the last kTagSize of which are the tag. Writes size - kTagSize bytes to `to`,
    // which may be `sealed`, or memory that does not overlap it. Uses a record number only when it succeeds. False: the
    // record is not authentic (what is at `to` is not to be used), no keys, no memory, or no record number is left.
    bool open(RecordKeys& keys, const std::uint8_t* header, const std::uint8_t* sealed,
              std::size_t size, std::uint8_t* to) noexcept;

  private:
    struct CipherCtxFree {
        void operator()(EVP_CIPHER_CTX* ctx) const noexcept { EVP_CIPHER_CTX_free(ctx); }
    };
    struct KdfCtxFree {
        void operator()(evp_kdf_ctx_st* ctx) const noexcept;
    };
    // A cipher's context for one suite and one direction, and the key that it has.
    struct Cipher {
        std::unique_ptr<EVP_CIPHER_CTX, CipherCtxFree> ctx;
        std::uint8_t key[RecordKeys::kMaxKey] = {};
        bool has_key = false;
    };
    enum Use : int { kOpen = 0, kSeal = 1 };  // as EVP_CipherInit_ex has it

    bool make(TlsSuite suite) noexcept;
    bool expand(const RecordKeys& keys, const char* label, std::uint8_t* to,
                std::size_t size) noexcept;
    void forget_secret(TlsSuite suite) noexcept;
    EVP_CIPHER_CTX* begin(const RecordKeys& keys, Use use) noexcept;

    Cipher ciphers_[kTlsSuites][2];  // the second: Use
    std::unique_ptr<evp_kdf_ctx_st, KdfCtxFree> kdfs_[kTlsSuites];
    bool valid_ = false;
};

}  // namespace wsp
