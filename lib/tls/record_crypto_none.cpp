// What record_crypto.cpp is without OpenSSL 3: never valid.
#include <openssl/opensslv.h>

#include "tls/record_crypto.hpp"

#if OPENSSL_VERSION_NUMBER < 0x30000000L

namespace wsp {

void RecordCrypto::KdfCtxFree::operator()(evp_kdf_ctx_st*) const noexcept {}

RecordCrypto::RecordCrypto() noexcept = default;

RecordCrypto::~RecordCrypto() = default;

bool RecordCrypto::derive(RecordKeys& keys) noexcept {
    keys.wipe();
    return false;
}

bool RecordCrypto::update(RecordKeys& keys) noexcept {
    keys.wipe();
    return false;
}

bool RecordCrypto::seal(RecordKeys&, const std::uint8_t*, const std::uint8_t*, std::size_t,
                        std::uint8_t, std::uint8_t*) noexcept {
    return false;
}

bool RecordCrypto::open(RecordKeys&, const std::uint8_t*, const std::uint8_t*, std::size_t,
                        std::uint8_t*) noexcept {
    return false;
}

}  // namespace wsp

#endif
