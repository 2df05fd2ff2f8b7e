// A queue, a thread, and a scratch pool that each line is written in.
#include "scribe.hpp"

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/blocked_signals.hpp"
#include "boundary.hpp"
#include "tunnel_log.hpp"

namespace wsp {

bool Scribe::start() noexcept {
    const BlockedSignals blocked;
    pthread_t thread;
    const int error = pthread_create(&thread, nullptr, &Scribe::thread_main, this);
    if (error != 0) {
        errno = error;
        return false;
    }
    pthread_detach(thread);  // finish() waits for its word, not for the thread
    const std::lock_guard<std::mutex> lock(mutex_);
    running_ = true;
    return true;
}

void Scribe::write(LogRecord record, const TunnelReport& report) noexcept {
    guarded_or(0, [&] {
        const BlockedSignals blocked;
        const std::lock_guard<std::mutex> lock(mutex_);
        entries_.push_back({std::move(record), report});
        changed_.notify_all();
        return 0;
    });
}

void Scribe::finish(DurationUs patience) noexcept {
    std::unique_lock<std::mutex> lock(mutex_);
    finishing_ = true;
    changed_.notify_all();
    if (running_) {
        changed_.wait_for(lock, std::chrono::microseconds(patience), [this] { return finished_; });
    }
}

void* Scribe::thread_main(void* self) noexcept {
    static_cast<Scribe*>(self)->run();
    return nullptr;
}

void Scribe::run() noexcept {
    apr_pool_t* scratch = nullptr;
    apr_pool_create(&scratch, nullptr);
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return finishing_ || !entries_.empty(); });
        if (entries_.empty()) {
            break;
        }
        const Entry entry = std::move(entries_.front());
        entries_.pop_front();
        lock.unlock();
        guarded_or(0, [&] {
            log_end_of_tunnel(entry.record.server(), entry.record.about(), entry.report);
            entry.record.write(entry.report, scratch);
            return 0;
        });
        apr_pool_clear(scratch);
        lock.lock();
    }
    finished_ = true;
    changed_.notify_all();
}

}  // namespace wsp
