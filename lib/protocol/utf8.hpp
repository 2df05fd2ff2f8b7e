// Checks UTF-8 in pieces. A message may be cut anywhere, also inside a character. Pure, no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/image_fields.hpp"

namespace wsp {

// Accepts exactly what RFC 3629 allows: no overlong forms, no surrogates, nothing above U+10FFFF.
class Utf8Validator {
  public:
    // Returns false as soon as the bytes so far cannot be the beginning of valid text. Then it stays false until
    // reset().
    bool feed(const std::uint8_t* data, std::size_t size) noexcept;
    // Like feed(), for masked bytes: XORs them with `key`, beginning with key byte `offset % 4`. Does not change
    // `data`.
    bool feed_masked(const std::uint8_t* data, std::size_t size, const std::uint8_t* key,
                     std::uint64_t offset) noexcept;
    // True when the bytes so far end between two characters.
    bool complete() const noexcept { return state_ == 0; }
    void reset() noexcept { state_ = 0; }

    // For base/image_fields.hpp.
    template <class Self, class Fields>
    static void each_member(Self& self, Fields& fields) {
        WSP_EACH_MEMBER(fields, self, state_);
    }
    bool is_sound() const noexcept;

  private:
    std::uint8_t state_ = 0;
};

// The size in bytes of the character at the beginning of `text`; 0 when there is none.
std::size_t size_of_character(std::string_view text) noexcept;

}  // namespace wsp
