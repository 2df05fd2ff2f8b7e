// Takes an HTTP/2 server's offer of WebSockets back: SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 3) out of the SETTINGS frame that
// begins what the server sends (RFC 9113 3.4). Pure: bytes go in, in pieces of any size, and what is to be sent comes out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace wsp {

class ExtendedConnectRemover {
  public:
    // Takes what belongs to the first frame from the beginning of `data`, and returns how many bytes that is: all of them, or
    // fewer once done(). What is behind them goes as it is.
    std::size_t take(const std::uint8_t* data, std::size_t size) noexcept;
    // The whole frame is there, or it is none that begins an HTTP/2 connection.
    bool done() const noexcept { return done_; }

    // What goes in place of what was taken. Before done(): what has been taken so far, as it came.
    const std::uint8_t* data() const noexcept { return held_.data(); }
    std::size_t size() const noexcept { return size_; }

  private:
    // RFC 9113 4.1, 6.5.1
    static constexpr std::size_t kHead = 9;
    static constexpr std::size_t kEntry = 6;
    // Of the settings of a preface; RFC 9113 and 8441 know seven. A longer frame goes as it is.
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
