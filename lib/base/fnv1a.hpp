// The hash FNV-1a, 64 bits: the same in every process and every build. For names and versions of our own, not against
// somebody who wants two to be equal. A value; pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wsp {

class Fnv1a {
  public:
    // `begin`: the value() of another hash, to go on with it.
    explicit constexpr Fnv1a(std::uint64_t begin = 14695981039346656037U) noexcept
        : value_(begin) {}

    constexpr Fnv1a& byte(std::uint8_t byte) noexcept {
        value_ = (value_ ^ byte) * 1099511628211U;
        return *this;
    }
    // The length goes first, so that ("ab", "c") differs from ("a", "bc").
    constexpr Fnv1a& text(std::string_view text) noexcept {
        number(text.size());
        for (const char c : text) {
            byte(static_cast<std::uint8_t>(c));
        }
        return *this;
    }
    constexpr Fnv1a& number(std::uint64_t number) noexcept {
        for (int shift = 0; shift < 64; shift += 8) {
            byte(static_cast<std::uint8_t>(number >> shift));
        }
        return *this;
    }
    constexpr std::uint64_t value() const noexcept { return value_; }

  private:
    std::uint64_t value_;
};

}  // namespace wsp
