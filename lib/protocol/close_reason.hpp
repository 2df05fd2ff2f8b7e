// The text of a Close. A value; any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "base/image_fields.hpp"
#include "protocol/frame_header.hpp"

namespace wsp {

// RFC 6455 5.5.1. As it was on the wire: bytes of a stranger.
class CloseReason {
  public:
    CloseReason() noexcept = default;
    // What is too long for a Close is cut.
    explicit CloseReason(std::string_view text) noexcept
        : size_(static_cast<std::uint8_t>(std::min(text.size(), bytes_.size()))) {
        std::copy_n(text.data(), size_, bytes_.data());
    }
    std::string_view text() const noexcept { return {bytes_.data(), size_}; }

    // For base/image_fields.hpp.
    template <class Self, class Fields>
    static void each_member(Self& self, Fields& fields) {
        WSP_EACH_MEMBER(fields, self, bytes_, size_);
    }
    bool is_sound() const noexcept { return size_ <= bytes_.size(); }

  private:
    std::array<char, kMaxControlPayload - 2> bytes_{};
    std::uint8_t size_ = 0;
};

}  // namespace wsp
