// ProxyWebsocketHandshakeThreads: how many of a child's request threads handshakes may hold.
#pragma once

#include <atomic>
#include <cstdint>

namespace wsp {

// One request thread's place among them, from before it turns to the backend until the answer is
// there. Request thread.
class HandshakePermit {
  public:
    HandshakePermit() noexcept = default;
    ~HandshakePermit() { leave(); }
    HandshakePermit(const HandshakePermit&) = delete;
    HandshakePermit& operator=(const HandshakePermit&) = delete;

    // False when `most` threads of this process are in handshakes already; 0 means no limit.
    [[nodiscard]] bool take(std::int64_t most) noexcept {
        taken_ = busy().fetch_add(1) < most || most == 0;
        if (!taken_) {
            busy().fetch_sub(1);
        }
        return taken_;
    }
    void leave() noexcept {
        if (taken_) {
            busy().fetch_sub(1);
            taken_ = false;
        }
    }

  private:
    static std::atomic<std::int64_t>& busy() noexcept {
        static std::atomic<std::int64_t> count{0};
        return count;
    }

    bool taken_ = false;
};

}  // namespace wsp
