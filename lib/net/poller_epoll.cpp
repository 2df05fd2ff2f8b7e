// The poller, with Linux's epoll.
#include "net/poller.hpp"

#if defined(__linux__) && !defined(WSP_USE_POLL)

#include <sys/epoll.h>

namespace wsp {
namespace {

constexpr int kBatch = 256;

std::uint32_t to_epoll(Interest interest) {
    return ((interest & kReadable) != 0 ? std::uint32_t{EPOLLIN} : 0) |
           ((interest & kWritable) != 0 ? std::uint32_t{EPOLLOUT} : 0);
}

Interest from_epoll(std::uint32_t events) {
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        return kReadable | kWritable;
    }
    return static_cast<Interest>(((events & EPOLLIN) != 0 ? kReadable : 0) |
                                 ((events & EPOLLOUT) != 0 ? kWritable : 0));
}

}  // namespace

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    events_.reserve(kBatch);
}

bool Poller::valid() const noexcept {
    return epoll_.valid();
}

bool Poller::watch(int fd, Interest before, Interest after, std::uintptr_t cookie) noexcept {
    if (before == after) {
        return true;
    }
    epoll_event event{};
    event.events = to_epoll(after);
    event.data.u64 = cookie;
    const int operation = before == kNoInterest  ? EPOLL_CTL_ADD
                          : after == kNoInterest ? EPOLL_CTL_DEL
                                                 : EPOLL_CTL_MOD;
    return ::epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
}

bool Poller::watch_with_others(int fd, std::uintptr_t cookie) noexcept {
    epoll_event event{};
    event.events = std::uint32_t{EPOLLIN} | std::uint32_t{EPOLLEXCLUSIVE};
    event.data.u64 = cookie;
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

bool Poller::watch_edges(int fd, std::uintptr_t cookie) noexcept {
    epoll_event event{};
    event.events = std::uint32_t{EPOLLIN} | std::uint32_t{EPOLLET};
    event.data.u64 = cookie;
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

const std::vector<Poller::Event>& Poller::wait(DurationUs timeout) noexcept {
    epoll_event ready[kBatch];
    const int n = ::epoll_wait(epoll_.get(), ready, kBatch, poll_timeout(timeout));
    events_.clear();
    for (int i = 0; i < n; ++i) {
        events_.push_back(
            {static_cast<std::uintptr_t>(ready[i].data.u64), from_epoll(ready[i].events)});
    }
    return events_;
}

}  // namespace wsp

#endif
