// Waits for many descriptors at once. Uses epoll on Linux, and poll(2) elsewhere or when the build asks for it
// (WSP_USE_POLL). Level-triggered. One owner, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.hpp"
#include "base/unique_fd.hpp"
#include "net/stream.hpp"

namespace wsp {

class Poller {
  public:
    struct Event {
        std::uintptr_t cookie = 0;  // the cookie that was given to watch()
        // Whether a read, or a write, may be tried now. An error or hang-up on the descriptor sets both: the next read
        // or write finds out what it is.
        Interest ready = kNoInterest;
    };

    // valid() is false when the system has no descriptor left.
    Poller();
    bool valid() const noexcept;

    // Changes the interest in `fd` from `before` to `after`. With kNoInterest the descriptor is not watched at all, so
    // a hang-up that nobody waits for cannot make the loop spin. The caller remembers `before`. Returns false with
    // errno when the system refuses (ENOMEM, ENOSPC).
    [[nodiscard]] bool watch(int fd, Interest before, Interest after,
                             std::uintptr_t cookie) noexcept;

    // Watches `fd` for reading, as many pollers of this and other processes do: one of them is woken for each event, or
    // a few. watch() ends it.
    [[nodiscard]] bool watch_with_others(int fd, std::uintptr_t cookie) noexcept;

    // Reports that `fd` is readable once each time that somebody writes to it, to all pollers of all processes that
    // watch it, though nobody reads from it. It is watched for as long as the poller lives. Returns false when the
    // system cannot do that (poll(2) cannot), or refuses.
    [[nodiscard]] bool watch_edges(int fd, std::uintptr_t cookie) noexcept;

    // Blocks for at most `timeout`, rounded up to milliseconds; kNever means without limit. The events stay valid until
    // the next call. Returns no events when a signal interrupts the wait.
    const std::vector<Event>& wait(DurationUs timeout) noexcept;

  private:
    std::vector<Event> events_;
#if defined(__linux__) && !defined(WSP_USE_POLL)
    UniqueFd epoll_;
#else
    struct Watched {
        int fd;
        Interest interest;
        std::uintptr_t cookie;
    };
    std::vector<Watched> watched_;
#endif
};

}  // namespace wsp
