// UTF-8 checked as it streams by: a message may be cut anywhere, also inside a character. Pure, no
// allocation.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wsp {

// Accepts exactly what RFC 3629 allows: no overlong forms, no surrogates, nothing above U+10FFFF.
class Utf8Validator {
  public:
    // False as soon as the bytes seen so far cannot begin a valid text; stays false until reset().
    bool feed(const std::uint8_t* data, std::size_t size) noexcept;
    // Like feed, for masked bytes: XORs with `key` beginning at key byte `offset % 4`; `data` is
    // left as it is.
    bool feed_masked(const std::uint8_t* data, std::size_t size, const std::uint8_t* key,
                     std::uint64_t offset) noexcept;
    // True when what was fed ends between two characters.
    bool complete() const noexcept { return state_ == 0; }
    void reset() noexcept { state_ = 0; }

  private:
    std::uint8_t state_ = 0;
};

}  // namespace wsp
