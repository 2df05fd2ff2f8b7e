// Looks at the state of each member once a second.
#include "upstream/member_watch.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/signal_safe_lock.hpp"
#include "httpd/background_threads.hpp"
#include "upstream/worker_state.hpp"

namespace wsp {
MemberWatch::Member::Member(proxy_worker* watched)
    : worker(watched), is_down_(is_taken_out(*watched)) {}

bool MemberWatch::Member::went_down() {
    const bool was_down = std::exchange(is_down_, is_taken_out(*worker));
    return is_down_ && !was_down;
}

TunnelGroup::Subscription MemberWatch::subscribe(proxy_worker* worker) {
    const SignalSafeLock lock(mutex_);
    auto member = std::find_if(members_.begin(), members_.end(),
                               [worker](const Member& known) { return known.worker == worker; });
    if (member == members_.end()) {
        member = members_.emplace(members_.end(), worker);
    }
    start();
    return member->tunnels.subscribe();
}

// With the mutex held. If the thread cannot be made, the next subscribe() tries again.
void MemberWatch::start() noexcept {
    if (started_) {
        return;
    }
    started_ = start_background_thread([this] { run(); });
    if (!started_) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, errno, ap_server_conf,
                     "WSP0018: no thread to watch balancer members; their tunnels are kept "
                     "when they are taken out");
    }
}

void MemberWatch::run() {
    pollfd ends[] = {{stops_.drain, POLLIN, 0}, {stops_.stop, POLLIN, 0}};
    while (::poll(ends, 2, poll_timeout(kWorkerLookInterval)) <= 0) {
        const SignalSafeLock lock(mutex_);
        look();
    }
}

void MemberWatch::look() {
    for (Member& member : members_) {
        if (!member.went_down()) {
            continue;
        }
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, ap_server_conf,
                     "WSP0017: %s is taken out: its tunnels in this child process are told to "
                     "go within %" APR_INT64_T_FMT " ms",
                     name_of(*member.worker), milliseconds_of(spread_));
        member.tunnels.drain(EndReason::member_down, monotonic_now(), spread_);
        loops_.check_groups();
    }
}

}  // namespace wsp
