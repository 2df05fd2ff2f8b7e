// A deque, a thread, and one scratch pool that is cleared after each line.
#include "log/log_queue.hpp"

#include <pthread.h>
#include <algorithm>
#include <cerrno>

#include <chrono>
#include <utility>

#include "base/signal_safe_lock.hpp"
#include "httpd/boundary.hpp"

namespace wsp {
namespace {

// The thread wakes up once for tunnels that end within this time.
constexpr std::chrono::milliseconds kGathering{5};

}  // namespace

LogQueue::LogQueue(std::size_t most_bytes, Log log, CaughtUp caught_up)
    : most_bytes_(most_bytes), log_(std::move(log)), caught_up_(std::move(caught_up)) {}

bool LogQueue::start() noexcept {
    const SignalSafeLock lock(mutex_);
    finishing_ = given_up_ = finished_ = false;
    pthread_t thread;
    const int error = pthread_create(&thread, nullptr, &LogQueue::thread_main, this);
    if (error != 0) {
        errno = error;
        return false;
    }
    pthread_detach(thread);  // finish() waits for finished_, not for the thread
    running_ = true;
    return true;
}

LogQueue::Put LogQueue::put(EndedTunnel tunnel) noexcept {
    const std::size_t size = tunnel.size();
    const SignalSafeLock lock(mutex_);
    const bool fits = bytes_ + size <= most_bytes_;
    if (!fits || !guarded_or(false, [&] { return tunnels_.push_back(std::move(tunnel)), true; })) {
        return lost_++ == 0 ? Put::first_lost : Put::lost;
    }
    bytes_ += size;
    if (sleeps_) {
        changed_.notify_all();
    }
    return Put::taken;
}

std::size_t LogQueue::finish(MonotonicUs deadline) noexcept {
    std::unique_lock<std::mutex> lock(mutex_);
    finishing_ = true;
    changed_.notify_all();
    if (running_) {
        const DurationUs patience = std::max<DurationUs>(deadline - monotonic_now(), 0);
        changed_.wait_for(lock, std::chrono::microseconds(patience), [this] { return finished_; });
    }
    given_up_ = true;
    return tunnels_.size() + (writing_ ? 1 : 0) + lost_;
}

void* LogQueue::thread_main(void* self) noexcept {
    static_cast<LogQueue*>(self)->run();
    return nullptr;
}

void LogQueue::run() noexcept {
    apr_pool_t* scratch = nullptr;
    apr_pool_create(&scratch, nullptr);
    std::unique_lock<std::mutex> lock(mutex_);
    while (!given_up_) {
        if (!tunnels_.empty()) {
            log_one(lock, scratch);
        } else if (lost_ > 0) {
            tell_caught_up(lock);
        } else if (finishing_) {
            break;
        } else {
            sleeps_ = true;
            changed_.wait(lock, [this] { return finishing_ || !tunnels_.empty(); });
            sleeps_ = false;
            changed_.wait_for(lock, kGathering, [this] { return finishing_; });
        }
    }
    finished_ = true;
    changed_.notify_all();
}

void LogQueue::log_one(std::unique_lock<std::mutex>& lock, apr_pool_t* scratch) {
    EndedTunnel tunnel = std::move(tunnels_.front());
    tunnels_.pop_front();
    const std::size_t size = tunnel.size();
    writing_ = true;
    lock.unlock();
    guarded_or(0, [&] { return log_(tunnel, scratch), 0; });
    apr_pool_clear(scratch);
    lock.lock();
    writing_ = false;
    bytes_ -= size;
}

void LogQueue::tell_caught_up(std::unique_lock<std::mutex>& lock) {
    const std::size_t lost = lost_;
    lost_ = 0;
    lock.unlock();
    guarded_or(0, [&] { return caught_up_(lost), 0; });
    lock.lock();
}

}  // namespace wsp
