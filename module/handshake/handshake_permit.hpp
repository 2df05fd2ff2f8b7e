// ProxyWebsocketHandshakeThreads: how many of a child's request threads may be in handshakes.
#pragma once

#include <atomic>
#include <cstdint>

namespace wsp {

// The count of one child process, which owns it. Any thread.
class HandshakeThreads {
  public:
    // 0: no limit.
    explicit HandshakeThreads(std::int64_t most) : most_(most) {}

  private:
    friend class HandshakePermit;
    const std::int64_t most_;
    std::atomic<std::int64_t> busy_{0};
};

// One request thread's place among them, from before it turns to the backend until the answer is
// there. Request thread.
class HandshakePermit {
  public:
    HandshakePermit() noexcept = default;
    ~HandshakePermit() { leave(); }
    HandshakePermit(const HandshakePermit&) = delete;
    HandshakePermit& operator=(const HandshakePermit&) = delete;

    // False when as many threads are in handshakes as may be.
    [[nodiscard]] bool take(HandshakeThreads& all) noexcept {
        if (all.busy_.fetch_add(1) >= all.most_ && all.most_ > 0) {
            all.busy_.fetch_sub(1);
            return false;
        }
        all_ = &all;
        return true;
    }
    void leave() noexcept {
        if (all_ != nullptr) {
            all_->busy_.fetch_sub(1);
            all_ = nullptr;
        }
    }

  private:
    HandshakeThreads* all_ = nullptr;
};

}  // namespace wsp
