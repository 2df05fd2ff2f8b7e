// One traffic secret of a TLS 1.3 session (RFC 8446 7.1): what all keys of one direction are derived from. Pure: any
// thread, no allocation.
#pragma once

#include <openssl/crypto.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/image.hpp"

namespace wsp {

// One holder at a time: it can be moved and not copied. What it was moved from, and what is destroyed, is overwritten.
class TrafficSecret {
  public:
    static constexpr std::size_t kMaxSize = 48;  // SHA-384

    // Empty.
    TrafficSecret() noexcept = default;
    // A copy of `size` bytes at `from`; the caller wipes its own. Empty when there are more than kMaxSize.
    TrafficSecret(const std::uint8_t* from, std::size_t size) noexcept {
        if (size <= kMaxSize) {
            std::memcpy(bytes_, from, size);
            size_ = static_cast<std::uint8_t>(size);
        }
    }
    ~TrafficSecret() { wipe(); }
    TrafficSecret(TrafficSecret&& other) noexcept { take(other); }
    TrafficSecret& operator=(TrafficSecret&& other) noexcept {
        if (this != &other) {
            take(other);
        }
        return *this;
    }
    TrafficSecret(const TrafficSecret&) = delete;
    TrafficSecret& operator=(const TrafficSecret&) = delete;

    const std::uint8_t* data() const noexcept { return bytes_; }
    // 0 when it is empty.
    std::size_t size() const noexcept { return size_; }
    // Overwrites it; it is empty afterwards.
    void wipe() noexcept {
        OPENSSL_cleanse(bytes_, sizeof bytes_);
        size_ = 0;
    }

    // The image has a second copy of the secret: whoever sends it destroys one of the two (tunnel/tunnel_move.hpp).
    void write_to(ImageWriter& image) const noexcept { image.put_bytes(bytes_, size_); }
    void read_from(ImageReader& image) noexcept {
        const std::string_view bytes = image.take_bytes();
        wipe();
        if (bytes.size() <= kMaxSize) {
            std::memcpy(bytes_, bytes.data(), bytes.size());
            size_ = static_cast<std::uint8_t>(bytes.size());
        } else {
            image.fail();
        }
    }

  private:
    void take(TrafficSecret& other) noexcept {
        std::memcpy(bytes_, other.bytes_, sizeof bytes_);
        size_ = other.size_;
        other.wipe();
    }

    std::uint8_t bytes_[kMaxSize] = {};  // zeros behind the secret
    std::uint8_t size_ = 0;
};

}  // namespace wsp
