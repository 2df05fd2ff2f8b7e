// Builds WebSocket frames for tests, right ones and wrong ones, without the code under test.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/side.hpp"

namespace wsp::test {

// Opcodes as on the wire, so that tests can also name the reserved ones.
constexpr unsigned kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10;

// One frame as `sender` would rightly send it; each setter then makes it differ.
class Frame {
  public:
    Frame(Side sender, unsigned opcode, std::string_view payload = {})
        : opcode_(opcode),
          masked_(sender == Side::client),
          payload_(payload),
          length_(payload.size()) {}

    Frame& more_follows() { return set(fin_, false); }
    Frame& fin(bool fin) { return set(fin_, fin); }
    Frame& rsv(unsigned bits) { return set(rsv_, bits); }
    Frame& masked(bool masked) { return set(masked_, masked); }
    Frame& key(std::array<std::uint8_t, 4> key) { return set(key_, key); }
    // The header says `length`, whatever the payload is.
    Frame& claims(std::uint64_t length) { return set(length_, length); }
    // Writes the length in at least 2 or 8 extra bytes.
    Frame& extra_length_bytes(unsigned at_least) { return set(extra_, at_least); }

    std::string header() const {
        std::string out;
        out += static_cast<char>((fin_ ? 0x80u : 0u) | rsv_ << 4 | opcode_);
        const unsigned extra = extra_bytes();
        const auto short_length = extra == 8   ? 127u
                                  : extra == 2 ? 126u
                                               : static_cast<unsigned>(length_);
        out += static_cast<char>((masked_ ? 0x80u : 0u) | short_length);
        for (unsigned i = extra; i > 0; --i)
            out += static_cast<char>(length_ >> (8 * (i - 1)) & 0xFF);
        return masked_ ? out.append(key_.begin(), key_.end()) : out;
    }

    std::string bytes() const {
        std::string out = header();
        for (std::size_t i = 0; i < payload_.size(); ++i)
            out += masked_ ? static_cast<char>(payload_[i] ^ key_[i % 4]) : payload_[i];
        return out;
    }

  private:
    template <typename T>
    Frame& set(T& field, T value) {
        field = value;
        return *this;
    }

    unsigned extra_bytes() const {
        const unsigned needed = length_ > 0xFFFF ? 8 : length_ > 125 ? 2 : 0;
        return needed > extra_ ? needed : extra_;
    }

    unsigned opcode_;
    bool masked_;
    std::string payload_;
    std::uint64_t length_;
    bool fin_ = true;
    unsigned rsv_ = 0;
    unsigned extra_ = 0;
    std::array<std::uint8_t, 4> key_{0xA1, 0x5C, 0x0F, 0xE2};
};

inline std::string frame(Side sender, unsigned opcode, std::string_view payload = {}) {
    return Frame(sender, opcode, payload).bytes();
}

inline std::string fragment(Side sender, unsigned opcode, std::string_view payload = {}) {
    return Frame(sender, opcode, payload).more_follows().bytes();
}

inline std::string close_payload(unsigned code, std::string_view reason = {}) {
    std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
    return payload.append(reason);
}

inline std::string close_frame(Side sender, unsigned code, std::string_view reason = {}) {
    return frame(sender, kClose, close_payload(code, reason));
}

}  // namespace wsp::test
