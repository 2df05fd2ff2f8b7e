// Blocks all signals in the calling thread for as long as the object lives. There are two reasons. httpd's prefork MPM
// ends its child from inside a signal handler (server/mpm/prefork/prefork.c just_die), which must not happen in a
// thread that holds one of our locks. And a thread that is created meanwhile inherits the mask, so httpd's signals go
// to httpd's threads.
#pragma once

#include <pthread.h>

#include <csignal>

namespace wsp {

class BlockedSignals {
  public:
    // With `wanted` false the object does nothing.
    explicit BlockedSignals(bool wanted = true) noexcept : wanted_(wanted) {
        if (wanted_) {
            sigset_t all;
            sigfillset(&all);
            pthread_sigmask(SIG_SETMASK, &all, &before_);
        }
    }
    ~BlockedSignals() {
        if (wanted_) {
            pthread_sigmask(SIG_SETMASK, &before_, nullptr);
        }
    }
    // Unblocks signals for a moment, so that pending ones are delivered.
    void deliver_pending() noexcept {
        if (!wanted_) {
            return;
        }
        sigset_t all;
        pthread_sigmask(SIG_SETMASK, &before_, &all);
        pthread_sigmask(SIG_SETMASK, &all, nullptr);
    }
    // True when this object alone keeps `signal` from being delivered.
    bool blocks(int signal) const noexcept { return wanted_ && sigismember(&before_, signal) == 0; }
    BlockedSignals(const BlockedSignals&) = delete;
    BlockedSignals& operator=(const BlockedSignals&) = delete;

  private:
    const bool wanted_;
    sigset_t before_;
};

}  // namespace wsp
