// The numbers of a TLS record (RFC 8446 5.1, 5.2). Pure.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wsp {

enum class ContentType : std::uint8_t {
    change_cipher_spec = 20,
    alert = 21,
    handshake = 22,
    application_data = 23,
};

inline constexpr std::size_t kRecordHeader = 5;        // type, version, length
inline constexpr std::size_t kMaxRecordPlain = 16384;  // content of one record
inline constexpr std::size_t kMaxRecordBody = kMaxRecordPlain + 256;
// What sealing adds to the content: header, content type, tag.
inline constexpr std::size_t kRecordOverhead = kRecordHeader + 1 + 16;
inline constexpr std::size_t kMaxRecord = kRecordHeader + kMaxRecordBody;

// Handshake messages that come after the handshake (RFC 8446 4).
enum class HandshakeType : std::uint8_t { new_session_ticket = 4, key_update = 24 };

constexpr HandshakeType last_of(HandshakeType) noexcept {  // base/image.hpp
    return HandshakeType::key_update;
}

}  // namespace wsp
