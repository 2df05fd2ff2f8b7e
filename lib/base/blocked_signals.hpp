// Holds off every signal in the calling thread for as long as it lives. httpd's prefork ends its
// child from inside a signal handler (server/mpm/prefork/prefork.c just_die), which must not
// interrupt a thread that holds one of our locks; and a thread that is made meanwhile inherits the
// mask, so that httpd's signals go to httpd's threads.
#pragma once

#include <pthread.h>

#include <csignal>

namespace wsp {

class BlockedSignals {
  public:
    // `wanted` false: it does nothing at all.
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
    // Lets those that have come meanwhile through, for a moment.
    void deliver_pending() noexcept {
        if (!wanted_) {
            return;
        }
        sigset_t all;
        pthread_sigmask(SIG_SETMASK, &before_, &all);
        pthread_sigmask(SIG_SETMASK, &all, nullptr);
    }
    // Without us it would come through.
    bool blocks(int signal) const noexcept { return wanted_ && sigismember(&before_, signal) == 0; }
    BlockedSignals(const BlockedSignals&) = delete;
    BlockedSignals& operator=(const BlockedSignals&) = delete;

  private:
    const bool wanted_;
    sigset_t before_;
};

}  // namespace wsp
