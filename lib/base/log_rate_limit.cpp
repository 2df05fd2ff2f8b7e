// The start of the window and its count change in one atomic step, so that each call is counted in exactly one window.
#include "base/log_rate_limit.hpp"

#include <algorithm>
#include <limits>

namespace wsp {
namespace {

struct Window {
    std::uint32_t begin_s;
    std::uint32_t calls;
};

constexpr Window unpack(std::uint64_t state) {
    return {static_cast<std::uint32_t>(state >> 32), static_cast<std::uint32_t>(state)};
}

constexpr std::uint64_t pack(Window window) {
    return std::uint64_t{window.begin_s} << 32 | window.calls;
}

// A thread may have read the clock before another thread began the window. Its call counts in that window.
bool is_over(Window window, std::uint32_t now_s, std::uint32_t length_s) {
    const auto age = static_cast<std::int32_t>(now_s - window.begin_s);
    return window.calls == 0 || (age >= 0 && static_cast<std::uint32_t>(age) >= length_s);
}

std::uint32_t beyond(std::uint32_t calls, std::uint32_t most) {
    return calls - std::min(calls, most);
}

}  // namespace

LogRateLimit::Verdict LogRateLimit::allow(MonotonicUs now) noexcept {
    const auto now_s = static_cast<std::uint32_t>(now / kSecond);
    std::uint64_t state = state_.load(std::memory_order_relaxed);
    for (;;) {
        const Window old = unpack(state);
        const bool begins = is_over(old, now_s, window_s_);
        Window next = {now_s, 1};
        if (!begins) {
            next = old;
            next.calls += next.calls < std::numeric_limits<std::uint32_t>::max() ? 1 : 0;
        }
        if (state_.compare_exchange_weak(state, pack(next), std::memory_order_relaxed)) {
            return {next.calls <= most_, next.calls == most_,
                    begins ? beyond(old.calls, most_) : 0};
        }
    }
}

std::uint32_t LogRateLimit::take_left_out() noexcept {
    std::uint64_t state = state_.load(std::memory_order_relaxed);
    for (;;) {
        const Window old = unpack(state);
        // The window goes on. It is as full as it was.
        const Window next = {old.begin_s, std::min(old.calls, most_)};
        if (state_.compare_exchange_weak(state, pack(next), std::memory_order_relaxed)) {
            return beyond(old.calls, most_);
        }
    }
}

}  // namespace wsp
