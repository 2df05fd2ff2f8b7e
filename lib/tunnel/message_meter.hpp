// ProxyWebsocketMessageRate: a token bucket for messages, and the bytes that wait for tokens. Pure
// but for the memory that it holds; one direction's, one thread's.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "base/held_bytes.hpp"

namespace wsp {

class MessageMeter {
  public:
    // `rate` messages per second, at least 1, and as many as `burst`, at least 1, at once.
    MessageMeter(std::uint32_t rate, std::uint32_t burst, MonotonicUs now) noexcept;

    // A message may begin now.
    bool has_token(MonotonicUs now) noexcept;
    void spend() noexcept { tokens_us_ -= cost_us_; }
    // When has_token() will be true.
    MonotonicUs next_token_at(MonotonicUs now) noexcept;
    // More messages than this may not wait.
    std::uint64_t max_delayed() const noexcept { return 2 * std::uint64_t{burst_}; }

    HeldBytes delayed;          // read from the source, not looked at yet
    MonotonicUs resume_at = 0;  // when to look at them; meaningful while there are some

  private:
    void refill(MonotonicUs now) noexcept;

    std::uint32_t burst_;
    DurationUs cost_us_;    // of one message, in microseconds of waiting
    DurationUs tokens_us_;  // saved up, likewise
    MonotonicUs refilled_at_;
};

}  // namespace wsp
