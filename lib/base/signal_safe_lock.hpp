// Locks a mutex and blocks all signals in the calling thread while it is locked. On httpd's threads every lock of ours
// is taken this way; blocked_signals.hpp says why. Our own threads have all signals blocked anyway.
//
// Blocking costs two system calls per lock. On the threads of a threaded MPM it is not needed: event.c and worker.c
// call apr_setup_signal_thread before they create them, and the signals that are left only wake a thread up. The
// handlers of the child's main thread neither take a lock nor end the process (dummy_signal_handler). There,
// stop_blocking_signals() is called once, before the process has threads.
#pragma once

#include <mutex>

#include "base/blocked_signals.hpp"

namespace wsp {

class SignalSafeLock {
  public:
    explicit SignalSafeLock(std::mutex& mutex) : blocked_(blocks_signals_), lock_(mutex) {}

    // From now on the locks of this process do not block signals.
    static void stop_blocking_signals() noexcept { blocks_signals_ = false; }

    // Whether locks of this process block signals. For calls into what locks by itself.
    static bool blocks_signals() noexcept { return blocks_signals_; }

    // The lock, for a condition variable.
    std::unique_lock<std::mutex>& held() noexcept { return lock_; }
    // Unlocks the mutex, lets pending signals run their handlers (which may end the process), and locks it again.
    void deliver_signals() {
        lock_.unlock();
        blocked_.deliver_pending();
        lock_.lock();
    }
    // True when this lock keeps SIGTERM from ending the process.
    bool blocks_sigterm() const noexcept { return blocked_.blocks(SIGTERM); }

  private:
    inline static bool blocks_signals_ = true;  // written only while the process has one thread

    // Declared first, so that signals stay blocked until the mutex is unlocked.
    BlockedSignals blocked_;
    std::unique_lock<std::mutex> lock_;
};

}  // namespace wsp
