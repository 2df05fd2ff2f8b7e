// A mutex that is held with all signals held off in the calling thread: how every lock of ours is taken on
// httpd's threads. See blocked_signals.hpp for why. Threads of ours have all signals blocked anyway.
#pragma once

#include <mutex>

#include "base/blocked_signals.hpp"

namespace wsp {

class SignalSafeLock {
  public:
    explicit SignalSafeLock(std::mutex& mutex) : lock_(mutex) {}

    // What condition variables take.
    std::unique_lock<std::mutex>& held() noexcept { return lock_; }
    // A signal may end the process now, or run its handler, while nobody here holds the mutex.
    void let_signals_through() {
        lock_.unlock();
        blocked_.let_through();
        lock_.lock();
    }
    // There are signals to let through that end the process.
    bool holds_off_the_end() const noexcept { return blocked_.holds_off(SIGTERM); }

  private:
    BlockedSignals blocked_;  // first, and so for longer than the mutex is held
    std::unique_lock<std::mutex> lock_;
};

}  // namespace wsp
