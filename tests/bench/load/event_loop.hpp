// epoll, edge-triggered: each descriptor is registered once for both directions, so waiting costs
// no further call.
#pragma once

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

namespace bench {

class Handler {
  public:
    virtual void on_event(std::uint32_t events) = 0;

  protected:
    ~Handler() = default;
};

class EventLoop {
  public:
    EventLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
    ~EventLoop() { ::close(epoll_); }
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    // The handler must outlive the descriptor; closing the descriptor ends the watch.
    void watch(int fd, Handler& handler,
               std::uint32_t events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) {
        epoll_event event{};
        event.events = events;
        event.data.ptr = &handler;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
            throw std::runtime_error(std::string("epoll_ctl: ") + std::strerror(errno));
        }
    }

    // Waits once. A handler may destroy itself, but no other, while it is called.
    void turn(int timeout_ms) {
        epoll_event ready[kBatch];
        const int n = ::epoll_wait(epoll_, ready, kBatch, timeout_ms);
        for (int i = 0; i < n; ++i) {
            static_cast<Handler*>(ready[i].data.ptr)->on_event(ready[i].events);
        }
    }

  private:
    static constexpr int kBatch = 256;
    int epoll_;
};

}  // namespace bench
