// Looks at proxy_worker_shared once a second.
#include "member_watch.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "background_threads.hpp"
#include "base/signal_safe_lock.hpp"
#include "child.hpp"

namespace wsp {
namespace {

constexpr int kLookMs = 1000;

// In error (PROXY_WORKER_IN_ERROR) means one failed connect and is tried again: tunnels that live
// tell otherwise.
bool is_down(const proxy_worker* worker) {
    return PROXY_WORKER_IS(worker, PROXY_WORKER_STOPPED) ||
           PROXY_WORKER_IS(worker, PROXY_WORKER_DISABLED) ||
           PROXY_WORKER_IS(worker, PROXY_WORKER_DRAIN) ||
           PROXY_WORKER_IS(worker, PROXY_WORKER_HC_FAIL);
}

}  // namespace

ClosePlan MemberWatch::Entry::plan() const noexcept {
    return ClosePlan::member_down(down_since_.load(), spread_.load());
}

bool MemberWatch::Tie::is_cut() noexcept {
    const unsigned times = entry_->times_down();
    return times != std::exchange(seen_, times);
}

MemberWatch::Tie MemberWatch::tie(proxy_worker* worker) {
    const SignalSafeLock lock(mutex_);
    const auto known = std::find_if(entries_.begin(), entries_.end(), [worker](const Entry& entry) {
        return entry.worker_ == worker;
    });
    if (known != entries_.end()) {
        start();
        return Tie(*known);
    }
    entries_.emplace_back(worker);
    entries_.back().down_ = is_down(worker);
    start();
    return Tie(entries_.back());
}

// With the mutex held. Whoever is tied next tries again.
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
    const Child& child = Child::current();
    pollfd ends[] = {{child.drain_fd(), POLLIN, 0}, {child.stop_fd(), POLLIN, 0}};
    while (::poll(ends, 2, kLookMs) <= 0) {
        const SignalSafeLock lock(mutex_);
        look();
    }
}

void MemberWatch::look() {
    for (Entry& entry : entries_) {
        const bool down = is_down(entry.worker_);
        if (down && !entry.down_) {
            const DurationUs spread = Child::current().drain_spread();
            ap_log_error(APLOG_MARK, APLOG_INFO, 0, ap_server_conf,
                         "WSP0017: %s is taken out: its tunnels in this child process are told to "
                         "go within %" APR_INT64_T_FMT " ms",
                         name_of(*entry.worker_), spread / kMillisecond);
            entry.down_since_.store(monotonic_now());
            entry.spread_.store(spread);
            entry.times_down_.fetch_add(1, std::memory_order_release);
            entry.untold_ = true;
        }
        entry.down_ = down;
        if (entry.untold_) {
            entry.untold_ = down && !Child::current().close_group(entry.worker_, entry.plan());
        }
    }
}

}  // namespace wsp
