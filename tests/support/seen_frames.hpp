// Takes bytes apart into frames, the slow and obvious way, to judge what a tunnel has sent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wsp::test {

struct SeenFrame {
    unsigned first_byte = 0;  // FIN, RSV, opcode
    bool masked = false;
    std::string payload;   // unmasked
    std::size_t size = 0;  // on the wire

    unsigned opcode() const { return first_byte & 0xF; }
    // Of a Close: its code, 1005 when it has none.
    unsigned close_code() const {
        return payload.size() < 2 ? 1005u
                                  : static_cast<unsigned char>(payload[0]) * 256u +
                                        static_cast<unsigned char>(payload[1]);
    }
};

// The frame at the front of `bytes`, if all of it is there.
inline std::optional<SeenFrame> first_frame(std::string_view bytes) {
    const auto at = [&](std::size_t i) {
        return static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i]));
    };
    if (bytes.size() < 2)
        return std::nullopt;
    SeenFrame seen;
    seen.first_byte = static_cast<unsigned>(at(0));
    seen.masked = at(1) >= 128;
    std::uint64_t length = at(1) % 128;
    const std::size_t extra = length == 127 ? 8 : length == 126 ? 2 : 0;
    const std::size_t header = 2 + extra + (seen.masked ? 4 : 0);
    if (bytes.size() < header)
        return std::nullopt;
    if (extra != 0)
        length = 0;
    for (std::size_t i = 0; i < extra; ++i)
        length = length * 256 + at(2 + i);
    if (length > bytes.size() - header)
        return std::nullopt;
    seen.size = header + static_cast<std::size_t>(length);
    seen.payload = bytes.substr(header, static_cast<std::size_t>(length));
    for (std::size_t i = 0; seen.masked && i < seen.payload.size(); ++i)
        seen.payload[i] = static_cast<char>(seen.payload[i] ^ bytes[2 + extra + i % 4]);
    return seen;
}

// The whole frames at the front of `bytes`.
inline std::vector<SeenFrame> whole_frames(std::string_view bytes) {
    std::vector<SeenFrame> frames;
    while (auto frame = first_frame(bytes)) {
        bytes.remove_prefix(frame->size);
        frames.push_back(std::move(*frame));
    }
    return frames;
}

}  // namespace wsp::test
