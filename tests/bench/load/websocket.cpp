// Frame headers written and read.
#include "websocket.hpp"

namespace bench {
namespace {

constexpr std::uint8_t kFin = 0x80;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::string_view kMaskingKey = "\x37\xfa\x21\x3d";

std::uint8_t byte_of(const std::string& text, std::size_t at) {
    return static_cast<std::uint8_t>(text[at]);
}

}  // namespace

std::string handshake_request(int port) {
    return "GET /bench HTTP/1.1\r\nHost: localhost:" + std::to_string(port) +
           "\r\nUser-Agent: wsbench\r\nUpgrade: websocket\r\nConnection: "
           "Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
           "Sec-WebSocket-Key: " + std::string(kKey) + std::string(kHeadEnd);
}

std::string handshake_answer() {
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
           "Upgrade\r\nSec-WebSocket-Accept: " +
           std::string(kAccept) + std::string(kHeadEnd);
}

std::string frame_head(std::uint8_t opcode, bool masked, std::uint64_t length) {
    const int length_bytes = length < 126 ? 0 : length < 65536 ? 2 : 8;
    const std::uint64_t short_length = length_bytes == 0 ? length : length_bytes == 2 ? 126 : 127;
    std::string head;
    head.push_back(static_cast<char>(kFin | opcode));
    head.push_back(static_cast<char>((masked ? kMasked : 0) | short_length));
    for (int i = length_bytes - 1; i >= 0; --i) {
        head.push_back(static_cast<char>(length >> (8 * i)));
    }
    if (masked) {
        head += kMaskingKey;
    }
    return head;
}

bool FrameReader::head_complete() {
    if (head_.size() < 2) {
        return false;
    }
    const std::uint8_t short_length = byte_of(head_, 1) & 0x7f;
    const std::size_t length_bytes = short_length < 126 ? 0 : short_length == 126 ? 2 : 8;
    const bool masked = (byte_of(head_, 1) & kMasked) != 0;
    if (head_.size() < 2 + length_bytes + (masked ? kMaskingKey.size() : 0)) {
        return false;
    }
    if ((byte_of(head_, 0) & 0xf0) != kFin) {
        throw std::runtime_error("a frame without FIN or with a reserved bit");
    }
    now_ = {static_cast<std::uint8_t>(byte_of(head_, 0) & 0x0f), masked,
            length_bytes == 0 ? short_length : 0u};
    for (std::size_t i = 0; i < length_bytes; ++i) {
        now_.length = now_.length << 8 | byte_of(head_, 2 + i);
    }
    left_ = now_.length;
    head_.clear();
    return true;
}

}  // namespace bench
