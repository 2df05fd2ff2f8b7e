// One AEAD operation, and HKDF-Expand-Label, with contexts that are made once. record_crypto_none.cpp stands in for it
// where OpenSSL is older than 3.
#include "tls/record_crypto.hpp"

#include <openssl/opensslv.h>

#if OPENSSL_VERSION_NUMBER >= 0x30000000L

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <cstring>

namespace wsp {
namespace {

constexpr std::size_t kHeaderSize = 5;

// RFC 8446 5.3: the record number, big-endian and padded on the left, xor the IV.
void nonce_of(const std::uint8_t* iv, std::uint64_t sequence, std::uint8_t* nonce) noexcept {
    std::memcpy(nonce, iv, RecordKeys::kIvSize);
    for (std::size_t i = 0; i < sizeof sequence; ++i) {
        nonce[RecordKeys::kIvSize - 1 - i] ^= static_cast<std::uint8_t>(sequence >> (8 * i));
    }
}

// RFC 8446 7.1: an HkdfLabel without a context. Returns its size.
std::size_t write_label(const char* label, std::size_t size, std::uint8_t* to) noexcept {
    constexpr char kPrefix[] = "tls13 ";
    constexpr std::size_t kPrefixSize = sizeof kPrefix - 1;
    const std::size_t label_size = std::strlen(label);
    to[0] = static_cast<std::uint8_t>(size >> 8);
    to[1] = static_cast<std::uint8_t>(size);
    to[2] = static_cast<std::uint8_t>(kPrefixSize + label_size);
    std::memcpy(to + 3, kPrefix, kPrefixSize);
    std::memcpy(to + 3 + kPrefixSize, label, label_size);
    to[3 + kPrefixSize + label_size] = 0;  // no context
    return 4 + kPrefixSize + label_size;
}

}  // namespace

RecordCrypto::RecordCrypto() noexcept {
    valid_ = true;
    for (std::size_t i = 0; i < kTlsSuites; ++i) {
        valid_ = valid_ && make(static_cast<TlsSuite>(i));
    }
}

void RecordCrypto::KdfCtxFree::operator()(evp_kdf_ctx_st* ctx) const noexcept {
    EVP_KDF_CTX_free(ctx);
}

RecordCrypto::~RecordCrypto() {
    for (auto& suite : ciphers_) {
        for (Cipher& cipher : suite) {
            OPENSSL_cleanse(cipher.key, sizeof cipher.key);
        }
    }
}

bool RecordCrypto::make(TlsSuite suite) noexcept {
    const auto& row = row_of(suite);
    EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, row.cipher.data(), nullptr);
    bool made = cipher != nullptr;
    for (const Use use : {kOpen, kSeal}) {
        auto& ctx = ciphers_[static_cast<std::size_t>(suite)][use].ctx;
        ctx.reset(EVP_CIPHER_CTX_new());
        made = made && ctx &&
               EVP_CipherInit_ex2(ctx.get(), cipher, nullptr, nullptr, use, nullptr) == 1;
    }
    EVP_CIPHER_free(cipher);

    EVP_KDF* const hkdf = EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_HKDF, nullptr);
    auto& kdf = kdfs_[static_cast<std::size_t>(suite)];
    kdf.reset(hkdf != nullptr ? EVP_KDF_CTX_new(hkdf) : nullptr);
    EVP_KDF_free(hkdf);
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
                                         const_cast<char*>(row.digest.data()), 0),
        OSSL_PARAM_construct_end(),
    };
    return made && kdf && EVP_KDF_CTX_set_params(kdf.get(), params) == 1;
}

bool RecordCrypto::expand(const RecordKeys& keys, const char* label, std::uint8_t* to,
                          std::size_t size) noexcept {
    std::uint8_t info[32];
    const std::size_t info_size = write_label(label, size, info);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
                                          const_cast<std::uint8_t*>(keys.secret_.data()),
                                          keys.secret_.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, info_size),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF_CTX* const kdf = kdfs_[static_cast<std::size_t>(keys.suite_)].get();
    return EVP_KDF_derive(kdf, to, size, params) == 1;
}

// OpenSSL's context keeps a copy of the secret until it is given another one.
void RecordCrypto::forget_secret(TlsSuite suite) noexcept {
    std::uint8_t nothing[1] = {};
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, nothing, sizeof nothing),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF_CTX_set_params(kdfs_[static_cast<std::size_t>(suite)].get(), params);
}

bool RecordCrypto::derive(RecordKeys& keys) noexcept {
    keys.has_key_ = valid_ && keys.secret_.size() == secret_size(keys.suite_) &&
                    expand(keys, "key", keys.key_.data(), key_size(keys.suite_)) &&
                    expand(keys, "iv", keys.iv_.data(), RecordKeys::kIvSize);
    if (valid_) {
        forget_secret(keys.suite_);
    }
    if (!keys.has_key_) {
        keys.wipe();
    }
    return keys.has_key_;
}

bool RecordCrypto::update(RecordKeys& keys) noexcept {
    std::uint8_t next[TrafficSecret::kMaxSize];
    const std::size_t size = secret_size(keys.suite_);
    const bool expanded = keys.has_key_ && valid_ && expand(keys, "traffic upd", next, size);
    keys.secret_ = expanded ? TrafficSecret(next, size) : TrafficSecret();
    OPENSSL_cleanse(next, sizeof next);
    keys.sequence_ = 0;
    return derive(keys);  // without a secret it wipes the rest
}

// The context with the key and the nonce of the next record. Null: no keys, no memory, or no record number is left.
EVP_CIPHER_CTX* RecordCrypto::begin(const RecordKeys& keys, Use use) noexcept {
    // RFC 8446 5.3: record numbers never wrap.
    if (!valid_ || !keys.has_key_ || keys.sequence_ == UINT64_MAX) {
        return nullptr;
    }
    std::uint8_t nonce[RecordKeys::kIvSize];
    nonce_of(keys.iv_.data(), keys.sequence_, nonce);
    Cipher& cipher = ciphers_[static_cast<std::size_t>(keys.suite_)][use];
    const bool same =
        cipher.has_key && CRYPTO_memcmp(cipher.key, keys.key_.data(), keys.key_.size()) == 0;
    if (!same) {
        std::memcpy(cipher.key, keys.key_.data(), keys.key_.size());
    }
    EVP_CIPHER_CTX* const ctx = cipher.ctx.get();
    cipher.has_key =
        EVP_CipherInit_ex2(ctx, nullptr, same ? nullptr : cipher.key, nonce, use, nullptr) == 1;
    return cipher.has_key ? ctx : nullptr;
}

bool RecordCrypto::seal(RecordKeys& keys, const std::uint8_t* header, const std::uint8_t* plain,
                        std::size_t size, std::uint8_t type, std::uint8_t* to) noexcept {
    EVP_CIPHER_CTX* const ctx = begin(keys, kSeal);
    if (ctx == nullptr) {
        return false;
    }
    ++keys.sequence_;
    int n = 0;
    return EVP_EncryptUpdate(ctx, nullptr, &n, header, kHeaderSize) == 1 &&
           (size == 0 || EVP_EncryptUpdate(ctx, to, &n, plain, static_cast<int>(size)) == 1) &&
           EVP_EncryptUpdate(ctx, to + size, &n, &type, 1) == 1 &&
           EVP_EncryptFinal_ex(ctx, to + size + 1, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, kTagSize, to + size + 1) == 1;
}

bool RecordCrypto::open(RecordKeys& keys, const std::uint8_t* header, const std::uint8_t* sealed,
                        std::size_t size, std::uint8_t* to) noexcept {
    EVP_CIPHER_CTX* const ctx = size < kTagSize ? nullptr : begin(keys, kOpen);
    if (ctx == nullptr) {
        return false;
    }
    const std::size_t plain = size - kTagSize;
    std::uint8_t tag[kTagSize];
    std::memcpy(tag, sealed + plain, kTagSize);
    int n = 0;
    const bool opened = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, kTagSize, tag) == 1 &&
                        EVP_DecryptUpdate(ctx, nullptr, &n, header, kHeaderSize) == 1 &&
                        EVP_DecryptUpdate(ctx, to, &n, sealed, static_cast<int>(plain)) == 1 &&
                        EVP_DecryptFinal_ex(ctx, to + plain, &n) == 1;
    keys.sequence_ += opened ? 1 : 0;
    return opened;
}

}  // namespace wsp

#endif
