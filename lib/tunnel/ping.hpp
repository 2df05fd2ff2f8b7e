// The state of the Pings that the proxy sends to one side. The payload of such a Ping has eight bytes: a random number,
// chosen once per side, and a counter. A Pong that repeats them answers our Ping; any other Pong is for the other
// endpoint. Pure; belongs to one tunnel and its thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/clock.hpp"
#include "base/image_fields.hpp"

namespace wsp {

class PingState {
  public:
    using Payload = std::array<char, 8>;

    explicit PingState(std::uint32_t nonce) noexcept : nonce_(nonce) {}

    // Notes that a new Ping is sent now and returns its payload.
    Payload next(MonotonicUs now) noexcept;
    // Returns true when a Pong with `payload` answers one of our Pings. Stores the round trip time when it is the first
    // one that answers the last Ping; after that is_waiting() is false.
    bool is_ours(std::string_view payload, MonotonicUs now) noexcept;

    // When the last Ping was sent, if no byte has come since then. kNever otherwise.
    MonotonicUs waiting_since(MonotonicUs last_read) const noexcept {
        return sent_at_ != kNever && last_read <= sent_at_ ? sent_at_ : kNever;
    }
    // The last Ping has neither been answered nor forgotten.
    bool is_waiting() const noexcept { return sent_at_ != kNever; }
    // Forgets the last Ping: nobody is to blame when it is not answered.
    void forget() noexcept { sent_at_ = kNever; }
    DurationUs round_trip() const noexcept { return round_trip_; }

    // Made to be read from an image.
    PingState() noexcept : PingState(0) {}
    template <class Self, class Fields>
    static void each_member(Self& self, Fields& fields) {
        WSP_EACH_MEMBER(fields, self, nonce_, count_, sent_at_, round_trip_);
    }
    bool is_sound() const noexcept { return round_trip_ != kNever; }

  private:
    std::uint32_t nonce_;
    std::uint32_t count_ = 0;
    MonotonicUs sent_at_ = kNever;
    DurationUs round_trip_ = 0;
};

}  // namespace wsp
