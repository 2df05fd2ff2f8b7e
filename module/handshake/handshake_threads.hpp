// ProxyWebsocketHandshakeThreads: how many of a child's request threads may be in handshakes.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace wsp {

// The count of one child process, which owns it. Any thread.
class HandshakeThreads {
  public:
    // 0: no limit.
    explicit HandshakeThreads(std::int64_t most) : most_(most) {}

    // One request thread's place, from before it turns to the backend until the answer is there. Request thread.
    struct GiveBack {
        void operator()(HandshakeThreads* to) const noexcept { to->busy_.fetch_sub(1); }
    };
    using Permit = std::unique_ptr<HandshakeThreads, GiveBack>;

    // Null when as many threads are in handshakes as may be.
    [[nodiscard]] Permit take() noexcept {
        if (busy_.fetch_add(1) >= most_ && most_ > 0) {
            busy_.fetch_sub(1);
            return nullptr;
        }
        return Permit(this);
    }

  private:
    const std::int64_t most_;
    std::atomic<std::int64_t> busy_{0};
};

}  // namespace wsp
