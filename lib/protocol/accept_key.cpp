// Checks a key and computes the accept value. SHA-1 and base64 come from OpenSSL.
#include "protocol/accept_key.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace wsp {
namespace {

constexpr std::size_t kKeySize = 24;
constexpr std::size_t kSha1Size = 20;
constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 1.3

constexpr bool is_base64(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
}

// Base64 characters whose lowest four bits are zero. 16 bytes are 128 bits, and 21 characters hold 126 of them, so the
// 22nd character carries only two.
constexpr bool ends_after_two_bits(char c) {
    return c == 'A' || c == 'Q' || c == 'g' || c == 'w';
}

}  // namespace

bool is_valid_key(std::string_view key) noexcept {
    // RFC 6455 4.1 item 7: 16 bytes, encoded in base64.
    return key.size() == kKeySize && key.substr(22) == "==" && ends_after_two_bits(key[21]) &&
           std::all_of(key.begin(), key.begin() + 22, is_base64);
}

std::string accept_for_key(std::string_view key) {
    std::string salted(key);
    salted += kGuid;
    unsigned char digest[EVP_MAX_MD_SIZE];
    // A crypto policy may forbid SHA-1. The empty string then equals no Sec-WebSocket-Accept.
    if (EVP_Digest(salted.data(), salted.size(), digest, nullptr, EVP_sha1(), nullptr) != 1) {
        return {};
    }
    unsigned char encoded[4 * ((kSha1Size + 2) / 3) + 1];
    const int size = EVP_EncodeBlock(encoded, digest, kSha1Size);
    return std::string(encoded, encoded + size);
}

}  // namespace wsp
