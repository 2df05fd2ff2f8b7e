// Connects to whichever of several addresses answers first (RFC 8305, "Happy Eyeballs").
//
// The calling thread does it, and blocks in poll(2), no longer than the deadline. Nothing is shared, so
// that any number of threads may race at once. The winner's descriptor belongs to the result, all others
// are closed on return.
#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/clock.hpp"
#include "base/unique_fd.hpp"

namespace wsp {

// IPv4, IPv6 or a Unix socket.
struct ConnectAddress {
    sockaddr_storage address;
    socklen_t size;
};

// What is done with a fresh socket: options, a source address. False, with errno, passes over the
// address. The socket stays the race's own.
using PrepareSocket = bool (*)(int fd, const ConnectAddress& to, void* context);

// RFC 8305 8: "Connection Attempt Delay", 250 ms recommended, 10 ms at least, 2 s at most.
constexpr DurationUs kMinAttemptDelay = 10 * kMillisecond;
constexpr DurationUs kMaxAttemptDelay = 2 * kSecond;

struct RaceRules {
    DurationUs attempt_delay = 250 * kMillisecond;  // what is out of bounds becomes the bound
    MonotonicUs deadline = kNever;
    int stop_fd = -1;  // readable: give up, at the next wait
    PrepareSocket prepare = nullptr;
    void* context = nullptr;
};

struct AttemptFault {
    std::size_t index;  // in the addresses
    int error;          // errno
};

// One of: a connection, stopped, timed_out, or none of these: then every address has its fault.
struct RaceResult {
    UniqueFd fd;  // connected, non-blocking, close-on-exec; invalid when none did
    std::size_t winner = 0;
    std::vector<AttemptFault>
        faults;  // in the order in which they happened; of a winner's rivals too
    bool stopped = false;
    bool timed_out = false;
};

// Which attempt is to begin when; without sockets and without a clock. An attempt begins when any that
// is under way fails, or the one before it has had attempt_delay (RFC 8305 5).
class RacePlan {
  public:
    RacePlan(std::size_t count, DurationUs attempt_delay) noexcept
        : count_(count),
          attempt_delay_(std::clamp(attempt_delay, kMinAttemptDelay, kMaxAttemptDelay)) {}

    // The next attempt is due.
    bool is_due(MonotonicUs now) const noexcept { return next_ < count_ && now >= next_at_; }
    // Its place; the one after it waits.
    std::size_t begin(MonotonicUs now) noexcept {
        next_at_ = now + attempt_delay_;
        return next_++;
    }
    // One has failed: no reason to wait with the next.
    void on_failed(MonotonicUs now) noexcept { next_at_ = now; }
    // kNever: none is left.
    MonotonicUs next_at() const noexcept { return next_ < count_ ? next_at_ : kNever; }

  private:
    std::size_t count_;
    DurationUs attempt_delay_;
    std::size_t next_ = 0;
    MonotonicUs next_at_ = 0;
};

// In which order to try (RFC 8305 4): the families in turn, beginning with the resolver's first;
// within a family as the resolver has it. An address that is equal to `last_good` (may be null), byte
// for byte, comes first, and the other family's turn is after it.
std::vector<std::size_t> race_order(const std::vector<ConnectAddress>& addresses,
                                    const ConnectAddress* last_good);

// Tries the addresses in their order. A Unix socket whose queue is full fails at once (EAGAIN). Without
// memory to race with throws bad_alloc, before anything else: no address is to blame for that.
RaceResult race_connect(const std::vector<ConnectAddress>& addresses, const RaceRules& rules);

}  // namespace wsp
