// Masks, signalfd(2) where there is one, and what each signal means for the tunnels.
#include "handoff/held_signals.hpp"

#ifdef __linux__
#include <sys/signalfd.h>
#endif

#include <algorithm>

#include "handoff/tunnel_host.hpp"
#include "httpd/boundary.hpp"
#include "httpd/httpd.hpp"
#include "httpd/mpm_query.hpp"

namespace wsp {
namespace {

sigset_t set_of(std::initializer_list<int> signals) {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals) {
        sigaddset(&set, signal);
    }
    return set;
}

// Runs the handler of a signal that was held off: stop_listening() closes httpd's listening
// sockets and notes that the child ends after this request.
void let_through(int signal) {
    const sigset_t set = set_of({signal});
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace

HeldSignals::HeldSignals(TunnelHost& tunnels) : tunnels_(tunnels) {
    if (is_threaded_mpm()) {
        return;
    }
    const sigset_t held = set_of({SIGTERM, SIGHUP, AP_SIG_GRACEFUL});
    pthread_sigmask(SIG_BLOCK, &held, &before_);
    holds_ = true;
#ifdef __linux__
    seen_.reset(::signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK));
#endif
    // A graceful stop that came before, while the backend was being asked, has left only this.
    int state = AP_MPMQ_RUNNING;
    ap_mpm_query(AP_MPMQ_MPM_STATE, &state);
    if (state == AP_MPMQ_STOPPING) {
        tunnels_.stop(true);
    }
}

HeldSignals::~HeldSignals() {
    if (holds_) {
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
}

void HeldSignals::on_readable() noexcept {
    if (waits({AP_SIG_GRACEFUL})) {
        // Those who want to listen where httpd did are not to wait.
        let_through(AP_SIG_GRACEFUL);
        guarded_or(0, [this] { return tunnels_.stop(true), 0; });
    }
    if (process_will_die()) {
        seen_.reset();  // stays readable
        guarded_or(0, [this] { return tunnels_.stop(false), 0; });
    }
}

bool HeldSignals::process_will_die() const {
    return waits({SIGTERM, SIGHUP});
}

bool HeldSignals::waits(std::initializer_list<int> signals) const {
    sigset_t waiting;
    sigemptyset(&waiting);
    sigpending(&waiting);
    return holds_ && std::any_of(signals.begin(), signals.end(), [&waiting](int signal) {
               return sigismember(&waiting, signal) == 1;
           });
}

}  // namespace wsp
