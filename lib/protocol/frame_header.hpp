// The header of a WebSocket frame, 2 to 14 bytes (RFC 6455 5.2): reading it, and writing the few frames that the proxy
// itself sends. Pure: no I/O, no clock, no allocation. Any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wsp {

enum class Opcode : std::uint8_t {
    continuation = 0x0,
    text = 0x1,
    binary = 0x2,
    close = 0x8,
    ping = 0x9,
    pong = 0xA,
};

// RFC 6455 5.5: opcodes with the high bit set are control frames.
constexpr bool is_control(std::uint8_t opcode) {
    return (opcode & 0x8) != 0;
}

constexpr std::size_t kMaxFrameHeader = 14;      // 2 + 8 (64-bit length) + 4 (masking key)
constexpr std::size_t kMaxControlPayload = 125;  // RFC 6455 5.5
constexpr std::size_t kMaxControlFrame = 2 + 4 + kMaxControlPayload;

using MaskingKey = std::array<std::uint8_t, 4>;

// Of FrameHeader::rsv, in which RSV2 is bit 1 and RSV3 bit 0.
constexpr std::uint8_t kRsv1 = 4;
constexpr std::uint8_t kAllRsv = 7;

struct FrameHeader {
    bool fin = false;
    std::uint8_t rsv = 0;
    std::uint8_t opcode = 0;  // as on the wire; reserved values are possible
    bool masked = false;
    bool minimal = true;  // the length is encoded in the fewest possible bytes
    std::uint64_t length = 0;
    MaskingKey key{};
    std::uint8_t size = 0;  // size of this header on the wire, 2 to 14 bytes
};

// Reads the header at the beginning of `data`. Returns true when it is complete. Returns false when more than `size`
// bytes are needed; `header` is then unspecified. Checks no rules: FrameScanner does that.
bool parse_frame_header(const std::uint8_t* data, std::size_t size, FrameHeader& header) noexcept;

// XORs `size` bytes in place with the key, beginning with key byte `offset % 4` (RFC 6455 5.3).
void apply_mask(std::uint8_t* data, std::size_t size, const MaskingKey& key,
                std::size_t offset = 0) noexcept;

// Writes one complete control frame to `out`, which must have room for kMaxControlFrame bytes. `payload` has at most
// 125 bytes (asserted). The frame is masked when `key` is not null (client to server). Returns the size of the frame.
std::size_t write_control_frame(std::uint8_t* out, Opcode opcode, std::string_view payload,
                                const MaskingKey* key) noexcept;

// Writes a Close with `code` and `reason`. A reason of more than 123 bytes is shortened, at a UTF-8 character boundary.
std::size_t write_close_frame(std::uint8_t* out, std::uint16_t code, std::string_view reason,
                              const MaskingKey* key) noexcept;

}  // namespace wsp
