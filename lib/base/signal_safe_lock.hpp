// A mutex that is held with all signals held off in the calling thread: how every lock of ours is taken on
// httpd's threads. See blocked_signals.hpp for why. Threads of ours have all signals blocked anyway.
//
// Two system calls for each lock are much where no signal can do harm: the threads of a threaded MPM have signals blocked
// (event.c and worker.c call apr_setup_signal_thread before they make them), but for those that only wake them up, and the
// handlers of their child's main thread neither take a lock nor end the process (dummy_signal_handler). There stop_blocking_signals() is
// called, once, before the process has threads.
#pragma once

#include <mutex>

#include "base/blocked_signals.hpp"

namespace wsp {

class SignalSafeLock {
  public:
    explicit SignalSafeLock(std::mutex& mutex) : blocked_(blocks_signals_), lock_(mutex) {}

    // From here on locks of this process leave signals alone.
    static void stop_blocking_signals() noexcept { blocks_signals_ = false; }

    // What condition variables take.
    std::unique_lock<std::mutex>& held() noexcept { return lock_; }
    // A signal may end the process now, or run its handler, while nobody here holds the mutex.
    void deliver_signals() {
        lock_.unlock();
        blocked_.deliver_pending();
        lock_.lock();
    }
    // There are signals to let through that end the process.
    bool blocks_sigterm() const noexcept { return blocked_.blocks(SIGTERM); }

  private:
    inline static bool blocks_signals_ = true;  // written while there is one thread

    BlockedSignals blocked_;  // first, and so for longer than the mutex is held
    std::unique_lock<std::mutex> lock_;
};

}  // namespace wsp
