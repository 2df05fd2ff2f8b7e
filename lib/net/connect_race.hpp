// Connects to the first of several addresses that answers (RFC 8305, "Happy Eyeballs").
//
// The calling thread does the work and waits in poll(2), at most until the deadline. Nothing is shared, so any number
// of threads may do this at the same time. The result owns the winner's descriptor; all others are closed on return.
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

// Prepares a new socket: sets options, binds a source address. Returns false, with errno, to skip the address. The race
// keeps the ownership of the socket.
using PrepareSocket = bool (*)(int fd, const ConnectAddress& to, void* context);

// RFC 8305 8, "Connection Attempt Delay": 250 ms is recommended, at least 10 ms, at most 2 s.
constexpr DurationUs kMinAttemptDelay = 10 * kMillisecond;
constexpr DurationUs kMaxAttemptDelay = 2 * kSecond;

struct RaceRules {
    DurationUs attempt_delay = 250 * kMillisecond;  // brought into the bounds above
    MonotonicUs deadline = kNever;
    int stop_fd = -1;  // give up once it is readable; -1: none
    PrepareSocket prepare = nullptr;
    void* context = nullptr;
};

struct AttemptFault {
    std::size_t index;  // in the addresses
    int error;          // errno
};

// Exactly one of these: a connection; `stopped`; `timed_out`; or none of them, and then every address has an entry in
// `faults`.
struct RaceResult {
    UniqueFd fd;  // connected, non-blocking, close-on-exec; invalid when no attempt has succeeded
    std::size_t winner = 0;
    // In the order in which they happened. Also has those that failed before another address won.
    std::vector<AttemptFault> faults;
    bool stopped = false;
    bool timed_out = false;
};

// Decides when each attempt begins. Knows no sockets and no clock. An attempt begins when another attempt fails, or
// when attempt_delay has passed since the attempt before it began (RFC 8305 5).
class RacePlan {
  public:
    RacePlan(std::size_t count, DurationUs attempt_delay) noexcept
        : count_(count),
          attempt_delay_(std::clamp(attempt_delay, kMinAttemptDelay, kMaxAttemptDelay)) {}

    // True when the next attempt is due.
    bool is_due(MonotonicUs now) const noexcept { return next_ < count_ && now >= next_at_; }
    // Begins the next attempt and returns its index. The attempt after it has to wait.
    std::size_t begin(MonotonicUs now) noexcept {
        next_at_ = now + attempt_delay_;
        return next_++;
    }
    // An attempt has failed, so the next one is due at once.
    void on_failed(MonotonicUs now) noexcept { next_at_ = now; }
    // When the next attempt is due. kNever when there is none left.
    MonotonicUs next_at() const noexcept { return next_ < count_ ? next_at_ : kNever; }

  private:
    std::size_t count_;
    DurationUs attempt_delay_;
    std::size_t next_ = 0;
    MonotonicUs next_at_ = 0;
};

// Returns the order in which to try the addresses (RFC 8305 4). The families alternate, and the family of the first
// address comes first. Within a family the resolver's order is kept. An address that is byte for byte equal to
// `last_good` (may be null) comes first, and an address of the other family comes after it.
std::vector<std::size_t> race_order(const std::vector<ConnectAddress>& addresses,
                                    const ConnectAddress* last_good);

// Tries the addresses in their order. A Unix socket with a full queue fails at once (EAGAIN). Throws bad_alloc when
// there is no memory for the race. That happens before the first attempt, so no address is blamed for it.
RaceResult race_connect(const std::vector<ConnectAddress>& addresses, const RaceRules& rules);

}  // namespace wsp
