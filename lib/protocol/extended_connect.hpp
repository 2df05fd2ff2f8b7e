// Removes SETTINGS_ENABLE_CONNECT_PROTOCOL from the SETTINGS frame with which an HTTP/2 server begins (RFC 9113 3.4).
// Without that setting the server does not offer extended CONNECT, and so no WebSockets (RFC 8441 3). Pure: bytes go
// in, in pieces of any size, and the bytes to send come out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace wsp {

class ExtendedConnectRemover {
  public:
    // Takes those bytes from the beginning of `data` that belong to the first frame, and returns how many. That is all
    // of them, or fewer once done() is true. The rest is sent unchanged.
    std::size_t take(const std::uint8_t* data, std::size_t size) noexcept;
    // True when the frame is complete, or when it cannot be the first SETTINGS frame of a server.
    bool done() const noexcept { return done_; }

    // The bytes to send in place of those that were taken. Before done() they are the bytes taken so far, unchanged.
    const std::uint8_t* data() const noexcept { return held_.data(); }
    std::size_t size() const noexcept { return size_; }

  private:
    // The sizes of a frame header (RFC 9113 4.1) and of one setting (RFC 9113 6.5.1).
    static constexpr std::size_t kHead = 9;
    static constexpr std::size_t kEntry = 6;
    // How many settings are looked at. RFC 9113 and RFC 8441 define seven; a frame with more than 64 is sent unchanged.
    static constexpr std::size_t kMaxEntries = 64;

    bool begins_preface() const noexcept;
    std::size_t payload() const noexcept;
    void set_payload(std::size_t size) noexcept;
    void remove_setting() noexcept;

    std::array<std::uint8_t, kHead + kMaxEntries * kEntry> held_{};
    std::size_t size_ = 0;
    bool done_ = false;
};

}  // namespace wsp
