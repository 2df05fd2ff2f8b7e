// Waits on many descriptors at once: epoll where the system has it, poll(2) elsewhere and where the
// build asks for it (WSP_USE_POLL). Level-triggered. One owner, one thread.
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
        std::uintptr_t cookie = 0;  // as it was given to watch()
        // What a read (write) may now be tried for. An error or hang-up on the descriptor sets
        // both: the next read or write finds out what it is.
        Interest ready = kNoInterest;
    };

    // valid() is false when the system has no descriptor left.
    Poller();
    bool valid() const noexcept;

    // Changes what is waited for on `fd` from `before` to `after`. kNoInterest means the descriptor
    // is not watched at all, so that a hang-up that nobody wants to see cannot spin the loop. The
    // caller remembers `before`. False with errno when the system refuses (ENOMEM, ENOSPC).
    [[nodiscard]] bool watch(int fd, Interest before, Interest after,
                             std::uintptr_t cookie) noexcept;

    // Blocks for at most `timeout` (kNever: for ever; rounded up to milliseconds). The events stay
    // valid until the next call. An interrupted wait returns no events.
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
