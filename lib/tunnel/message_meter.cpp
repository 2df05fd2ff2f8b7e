// Tokens are counted as time, so that no rounding errors add up.
#include "tunnel/message_meter.hpp"

#include <algorithm>

namespace wsp {

MessageMeter::MessageMeter(std::uint32_t rate, std::uint32_t burst, MonotonicUs now) noexcept
    : burst_(burst), cost_us_(kSecond / rate), tokens_us_(burst * cost_us_), refilled_at_(now) {}

bool MessageMeter::has_token(MonotonicUs now) noexcept {
    refill(now);
    return tokens_us_ >= cost_us_;
}

MonotonicUs MessageMeter::next_token_at(MonotonicUs now) noexcept {
    refill(now);
    return now + std::max<DurationUs>(0, cost_us_ - tokens_us_);
}

void MessageMeter::refill(MonotonicUs now) noexcept {
    tokens_us_ = std::min(tokens_us_ + (now - refilled_at_), burst_ * cost_us_);
    refilled_at_ = now;
}

}  // namespace wsp
