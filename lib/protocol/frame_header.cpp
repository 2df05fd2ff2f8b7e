// Reads frame headers, masks payload, and writes the control frames that the proxy sends.
#include "protocol/frame_header.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace wsp {
namespace {

// RFC 6455 5.2: in the 7-bit length, 126 means that 16 bits of length follow, 127 that 64 bits follow.
constexpr std::size_t kLength16 = 126;
constexpr std::size_t kLength64 = 127;
constexpr std::size_t kMaxReason = kMaxControlPayload - 2;

constexpr std::size_t extra_length_bytes(std::size_t short_length) {
    return short_length == kLength64 ? 8 : short_length == kLength16 ? 2 : 0;
}

std::uint64_t read_big_endian(const std::uint8_t* data, std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
        value = value << 8 | data[i];
    }
    return value;
}

constexpr bool is_minimal(std::size_t extra_bytes, std::uint64_t length) {
    return extra_bytes == 0 || (extra_bytes == 2 ? length >= kLength16 : length > 0xFFFF);
}

// The longest beginning of `text` that has at most `limit` bytes and does not end inside a character.
std::string_view cut_between_characters(std::string_view text, std::size_t limit) {
    if (text.size() <= limit) {
        return text;
    }
    while (limit > 0 && (text[limit] & 0xC0) == 0x80) {
        --limit;
    }
    return text.substr(0, limit);
}

}  // namespace

bool parse_frame_header(const std::uint8_t* data, std::size_t size, FrameHeader& header) noexcept {
    if (size < 2) {
        return false;
    }
    const std::size_t short_length = data[1] & 0x7Fu;
    const std::size_t extra = extra_length_bytes(short_length);
    header.masked = (data[1] & 0x80) != 0;
    header.size = static_cast<std::uint8_t>(2 + extra + (header.masked ? 4 : 0));
    if (size < header.size) {
        return false;
    }
    header.fin = (data[0] & 0x80) != 0;
    header.rsv = (data[0] >> 4) & 0x7;
    header.opcode = data[0] & 0xF;
    header.length = extra == 0 ? short_length : read_big_endian(data + 2, extra);
    header.minimal = is_minimal(extra, header.length);
    if (header.masked) {
        std::memcpy(header.key.data(), data + 2 + extra, header.key.size());
    } else {
        header.key = {};
    }
    return true;
}

void apply_mask(std::uint8_t* data, std::size_t size, const MaskingKey& key,
                std::size_t offset) noexcept {
    std::array<std::uint8_t, sizeof(std::uint64_t)> turned;
    for (std::size_t i = 0; i < turned.size(); ++i) {
        turned[i] = key[(offset + i) % key.size()];
    }
    std::uint64_t key_word;
    std::memcpy(&key_word, turned.data(), sizeof key_word);
    for (; size >= sizeof key_word; data += sizeof key_word, size -= sizeof key_word) {
        std::uint64_t word;
        std::memcpy(&word, data, sizeof word);
        word ^= key_word;
        std::memcpy(data, &word, sizeof word);
    }
    for (std::size_t i = 0; i < size; ++i) {
        data[i] ^= turned[i];
    }
}

std::size_t write_control_frame(std::uint8_t* out, Opcode opcode, std::string_view payload,
                                const MaskingKey* key) noexcept {
    assert(is_control(static_cast<std::uint8_t>(opcode)));
    assert(payload.size() <= kMaxControlPayload);
    std::uint8_t* at = out;
    *at++ = static_cast<std::uint8_t>(0x80 | static_cast<std::uint8_t>(opcode));
    *at++ = static_cast<std::uint8_t>((key ? 0x80 : 0) | payload.size());
    if (key) {
        at = std::copy(key->begin(), key->end(), at);
    }
    std::uint8_t* const end = std::copy(payload.begin(), payload.end(), at);
    if (key) {
        apply_mask(at, payload.size(), *key);
    }
    return static_cast<std::size_t>(end - out);
}

std::size_t write_close_frame(std::uint8_t* out, std::uint16_t code, std::string_view reason,
                              const MaskingKey* key) noexcept {
    // RFC 6455 5.5.1: the code in network byte order, then the reason in UTF-8.
    char payload[kMaxControlPayload] = {static_cast<char>(code >> 8),
                                        static_cast<char>(code & 0xFF)};
    const std::string_view kept = cut_between_characters(reason, kMaxReason);
    std::copy(kept.begin(), kept.end(), payload + 2);
    return write_control_frame(out, Opcode::close, {payload, 2 + kept.size()}, key);
}

}  // namespace wsp
