// Detached threads, and a count of those that run.
#include "httpd/background_threads.hpp"

#include <pthread.h>
#include <time.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <new>

#include "base/blocked_signals.hpp"
#include "httpd/boundary.hpp"

namespace wsp {
namespace {

// Static: httpd calls await_background_threads() while it destroys its pools, from a signal handler too.
std::atomic<int> running{0};

void* thread_main(void* context) noexcept {
    guarded_or(0, [context] {
        const std::unique_ptr<std::function<void()>> body(
            static_cast<std::function<void()>*>(context));
        return (*body)(), 0;
    });
    running.fetch_sub(1);
    return nullptr;
}

}  // namespace

bool start_background_thread(std::function<void()> body) noexcept {
    const BlockedSignals blocked;
    std::unique_ptr<std::function<void()>> context(new (std::nothrow) std::function<void()>);
    if (context == nullptr) {
        errno = ENOMEM;
        return false;
    }
    context->swap(body);
    running.fetch_add(1);
    pthread_t thread;
    const int error = pthread_create(&thread, nullptr, &thread_main, context.get());
    if (error != 0) {
        running.fetch_sub(1);
        errno = error;
        return false;
    }
    static_cast<void>(context.release());  // the thread's now
    pthread_detach(thread);
    return true;
}

void await_background_threads(DurationUs patience) noexcept {
    const timespec pause = {0, 5'000'000};
    const MonotonicUs until = monotonic_now() + patience;
    while (running.load() > 0 && monotonic_now() < until) {
        ::nanosleep(&pause, nullptr);
    }
}

}  // namespace wsp
