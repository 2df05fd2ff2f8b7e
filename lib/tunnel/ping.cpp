// Writes and recognises the payload of our Pings.
#include "tunnel/ping.hpp"

#include <cstring>

namespace wsp {

PingState::Payload PingState::next(MonotonicUs now) noexcept {
    ++count_;
    sent_at_ = now;
    Payload payload;
    std::memcpy(payload.data(), &nonce_, sizeof nonce_);
    std::memcpy(payload.data() + sizeof nonce_, &count_, sizeof count_);
    return payload;
}

bool PingState::is_ours(std::string_view payload, MonotonicUs now) noexcept {
    std::uint32_t nonce = 0;
    std::uint32_t count = 0;
    if (payload.size() != sizeof nonce + sizeof count) {
        return false;
    }
    std::memcpy(&nonce, payload.data(), sizeof nonce);
    std::memcpy(&count, payload.data() + sizeof nonce, sizeof count);
    if (nonce != nonce_ || count == 0 || count > count_) {
        return false;
    }
    if (count == count_ && is_waiting()) {
        round_trip_ = now - sent_at_;
        forget();
    }
    return true;
}

}  // namespace wsp
