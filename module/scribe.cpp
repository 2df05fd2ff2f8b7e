// A queue, a thread, and a scratch pool that each line is written in.
#include "scribe.hpp"

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/blocked_signals.hpp"
#include "boundary.hpp"
#include "tunnel_log.hpp"

namespace wsp {
namespace {

// Tunnels that end within so long share one wake-up.
constexpr std::chrono::milliseconds kGathering{5};
// Entries that the queue keeps room for when it is empty.
constexpr std::size_t kKeptRoom = 256;

}  // namespace

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
        if (sleeps_) {
            changed_.notify_all();
        }
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
    std::vector<Entry> batch;
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
        sleeps_ = true;
        changed_.wait(lock, [this] { return finishing_ || !entries_.empty(); });
        sleeps_ = false;
        changed_.wait_for(lock, kGathering, [this] { return finishing_; });
        if (entries_.empty()) {
            break;
        }
        batch.swap(entries_);
        lock.unlock();
        for (const Entry& entry : batch) {
            guarded_or(0, [&] {
                log_end_of_tunnel(entry.record.server(), entry.record.about(), entry.report);
                entry.record.write(entry.report, scratch);
                return 0;
            });
            apr_pool_clear(scratch);
        }
        batch.clear();
        if (batch.capacity() > kKeptRoom) {
            std::vector<Entry>().swap(batch);
        }
        lock.lock();
    }
    finished_ = true;
    changed_.notify_all();
}

}  // namespace wsp
