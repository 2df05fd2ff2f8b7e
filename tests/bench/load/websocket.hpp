// As much of RFC 6455 as the measurement speaks: one handshake that is always the same, and whole
// frames.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace bench {

constexpr std::uint8_t kBinary = 2;
constexpr std::uint8_t kClose = 8;

// The key and its answer are RFC 6455's own example, so neither side computes anything.
constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
constexpr std::string_view kHeadEnd = "\r\n\r\n";

std::string handshake_request(int port);
std::string handshake_answer();

struct FrameHead {
    std::uint8_t opcode = 0;
    bool masked = false;
    std::uint64_t length = 0;
};

// A frame with FIN. With `masked`, the payload counts as masked already; the key is constant.
std::string frame_head(std::uint8_t opcode, bool masked, std::uint64_t length);

// Cuts a stream of bytes into frames. Whoever feeds it gets on_head(), on_payload() in pieces, and
// on_frame_end().
class FrameReader {
  public:
    template <class Listener>
    void feed(const std::uint8_t* data, std::size_t size, Listener& listener) {
        while (size > 0) {
            if (left_ == 0) {
                head_.push_back(static_cast<char>(*data));
                ++data;
                --size;
                if (!head_complete()) {
                    continue;
                }
                listener.on_head(now_);
            }
            const std::size_t piece =
                static_cast<std::size_t>(std::min<std::uint64_t>(left_, size));
            if (piece > 0) {
                listener.on_payload(data, piece);
            }
            data += piece;
            size -= piece;
            left_ -= piece;
            if (left_ == 0) {
                listener.on_frame_end(now_);
            }
        }
    }

  private:
    // Fills now_ and left_ once the header is whole, and forgets it.
    bool head_complete();

    std::string head_;
    FrameHead now_;
    std::uint64_t left_ = 0;
};

}  // namespace bench
