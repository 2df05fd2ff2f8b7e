// What is known of the Pings that the proxy itself sends to one side. A Ping carries eight bytes
// that nobody else uses: a random half that is the side's own, and a count; a Pong that gives them
// back is ours, any other belongs to the endpoints. Pure; one tunnel's, one thread's.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "base/clock.hpp"

namespace wsp {

class PingState {
  public:
    using Payload = std::array<char, 8>;

    explicit PingState(std::uint32_t nonce) noexcept : nonce_(nonce) {}

    // A new Ping goes out now. Its payload.
    Payload next(MonotonicUs now) noexcept;
    // A Pong with `payload` came: true when it answers one of our Pings. The last one's round trip
    // is kept.
    bool is_ours(std::string_view payload, MonotonicUs now) noexcept;

    // A Ping is out and no byte has come since: since when. kNever otherwise.
    MonotonicUs waiting_since(MonotonicUs last_read) const noexcept {
        return sent_at_ != kNever && last_read <= sent_at_ ? sent_at_ : kNever;
    }
    // It will not be answered, and nobody is to blame.
    void forget() noexcept { sent_at_ = kNever; }
    DurationUs round_trip() const noexcept { return round_trip_; }

  private:
    std::uint32_t nonce_;
    std::uint32_t count_ = 0;
    MonotonicUs sent_at_ = kNever;
    DurationUs round_trip_ = 0;
};

// The state of a live tunnel can be copied to another process.
static_assert(std::is_trivially_copyable_v<PingState>);

}  // namespace wsp
