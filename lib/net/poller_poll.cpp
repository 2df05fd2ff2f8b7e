// The poller, with poll(2): for systems without epoll, and for tests.
#include "net/poller.hpp"

#if !defined(__linux__) || defined(WSP_USE_POLL)

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <new>

namespace wsp {
namespace {

short to_poll(Interest interest) {
    return static_cast<short>(((interest & kReadable) != 0 ? POLLIN : 0) |
                              ((interest & kWritable) != 0 ? POLLOUT : 0));
}

Interest from_poll(short events) {
    if ((events & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
        return kReadable | kWritable;
    }
    return static_cast<Interest>(((events & POLLIN) != 0 ? kReadable : 0) |
                                 ((events & POLLOUT) != 0 ? kWritable : 0));
}

}  // namespace

Poller::Poller() = default;

bool Poller::valid() const noexcept {
    return true;
}

bool Poller::watch(int fd, Interest before, Interest after, std::uintptr_t cookie) noexcept {
    if (before == after) {
        return true;
    }
    const auto at = std::find_if(watched_.begin(), watched_.end(),
                                 [fd](const Watched& w) { return w.fd == fd; });
    if (after == kNoInterest) {
        if (at != watched_.end()) {
            *at = watched_.back();
            watched_.pop_back();
        }
        return true;
    }
    if (at != watched_.end()) {
        *at = {fd, after, cookie};
        return true;
    }
    try {
        watched_.push_back({fd, after, cookie});
    } catch (const std::bad_alloc&) {
        errno = ENOMEM;
        return false;
    }
    return true;
}

// All of them are woken.
bool Poller::watch_with_others(int fd, std::uintptr_t cookie) noexcept {
    return watch(fd, kNoInterest, kReadable, cookie);
}

bool Poller::watch_edges(int, std::uintptr_t) noexcept {
    return false;
}

const std::vector<Poller::Event>& Poller::wait(DurationUs timeout) noexcept {
    events_.clear();
    try {
        std::vector<pollfd> asked;
        asked.reserve(watched_.size());
        for (const Watched& w : watched_) {
            asked.push_back({w.fd, to_poll(w.interest), 0});
        }
        events_.reserve(watched_.size());
        const int n = ::poll(asked.data(), asked.size(), poll_timeout(timeout));
        for (std::size_t i = 0; n > 0 && i < asked.size(); ++i) {
            if (asked[i].revents != 0) {
                events_.push_back({watched_[i].cookie, from_poll(asked[i].revents)});
            }
        }
    } catch (const std::bad_alloc&) {
        events_.clear();  // the loop calls again; sleep a little, so that it does not spin
        ::poll(nullptr, 0, 10);
    }
    return events_;
}

}  // namespace wsp

#endif
