// A token bucket for messages (ProxyWebsocketMessageRate), and the bytes that wait for a token. Does nothing but count
// and keep memory. Belongs to one direction and its thread.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "base/held_bytes.hpp"
#include "base/image_fields.hpp"

namespace wsp {

class MessageMeter {
  public:
    // Allows `rate` messages per second and `burst` messages at once. Both are at least 1.
    MessageMeter(std::uint32_t rate, std::uint32_t burst, MonotonicUs now) noexcept;

    // True when a message may begin now.
    bool has_token(MonotonicUs now) noexcept;
    void spend() noexcept { tokens_us_ -= cost_us_; }
    // When has_token() becomes true.
    MonotonicUs next_token_at(MonotonicUs now) noexcept;
    // No more messages than this may be delayed.
    std::uint64_t max_delayed() const noexcept { return 2 * std::uint64_t{burst_}; }

    // Made to be read from an image.
    MessageMeter() noexcept : MessageMeter(1, 1, 0) {}
    template <class Self, class Fields>
    static void each_member(Self& self, Fields& fields) {
        WSP_EACH_MEMBER(fields, self, delayed_, resume_at_, burst_, cost_us_, tokens_us_,
                        refilled_at_);
    }
    bool is_sound() const noexcept {
        return cost_us_ >= 0 && cost_us_ <= kSecond && tokens_us_ >= 0 && tokens_us_ != kNever &&
               refilled_at_ != kNever && resume_at != kNever;
    }

    HeldBytes delayed;  // read from the source, not shown to the scanner yet
    // When to go on with them. Valid only while there are some.
    MonotonicUs resume_at = 0;

  private:
    void refill(MonotonicUs now) noexcept;

    std::uint32_t burst_;
    DurationUs cost_us_;    // the cost of one message, as time
    DurationUs tokens_us_;  // the tokens in the bucket, as time
    MonotonicUs refilled_at_;
};

}  // namespace wsp
