// What the other threads do with a pump: start it, hand over tunnels and plans, wait for its end.
#include "tunnel/pump.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <new>
#include <random>
#include <utility>

#include "base/blocked_signals.hpp"

namespace wsp {

Pump::Pump() : scratch_(new std::uint8_t[kScratchSize]), random_(std::random_device()()) {}

Pump::~Pump() = default;

bool Pump::start(int stop_fd) noexcept {
    int ends[2];
    if (!poller_.valid() || ::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return false;
    }
    wake_read_.reset(ends[0]);
    wake_write_.reset(ends[1]);
    if (!poller_.watch(wake_read_.get(), kNoInterest, kReadable, kWakeCookie) ||
        (stop_fd >= 0 && !poller_.watch(stop_fd, kNoInterest, kReadable, kStopCookie))) {
        return false;
    }
    stop_fd_ = stop_fd;
    const BlockedSignals blocked;
    const int error = pthread_create(&thread_, nullptr, &Pump::thread_main, this);
    if (error != 0) {
        errno = error;
        return false;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    running_ = true;
    return true;
}

bool Pump::adopt(std::unique_ptr<Tunnel>& tunnel) noexcept {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!running_ || ended_) {
            return false;
        }
        try {
            inbox_.push_back(nullptr);
        } catch (const std::bad_alloc&) {
            return false;
        }
        inbox_.back() = std::move(tunnel);
        // Before the loop can take it: it may have ended, and be counted as such, at once.
        adopted_count_.fetch_add(1);
    }
    wake();
    return true;
}

void Pump::close_all(const ClosePlan& plan) noexcept {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!asked_plan_ || plan.cut < asked_plan_->cut) {
            asked_plan_ = plan;
        }
    }
    wake();
}

bool Pump::close_group(const void* group, const ClosePlan& plan) noexcept {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        try {
            asked_groups_.emplace_back(group, plan);
        } catch (const std::bad_alloc&) {
            return false;
        }
    }
    wake();
    return true;
}

bool Pump::join(DurationUs patience) noexcept {
    {
        std::unique_lock<std::mutex> lock(mutex_);
        if (!running_) {
            return true;
        }
        joining_ = true;
        wake();
        if (!ended_signal_.wait_for(lock, std::chrono::microseconds(patience),
                                    [this] { return ended_; })) {
            return false;
        }
        running_ = false;
    }
    pthread_join(thread_, nullptr);
    return true;
}

void Pump::wake() noexcept {
    const char byte = 0;
    // A full pipe wakes as well as one more byte would.
    [[maybe_unused]] const ssize_t n = ::write(wake_write_.get(), &byte, 1);
}

}  // namespace wsp
