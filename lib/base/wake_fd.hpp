// A descriptor with which other threads wake one that waits in poll(). It is an eventfd on Linux and a pipe elsewhere.
#pragma once

#include "base/unique_fd.hpp"

namespace wsp {

class WakeFd {
  public:
    // Returns false with errno when the system has no descriptor left.
    [[nodiscard]] bool open() noexcept;
    bool valid() const noexcept { return read_.valid(); }
    // Readable after wake(), until clear().
    int fd() const noexcept { return read_.get(); }

    // For others, in other processes too: what is written to it makes fd() readable. From here on the caller owns it.
    // Only where fd() is written and read through one descriptor (eventfd); otherwise -1.
    int release() noexcept { return write_.valid() ? -1 : read_.release(); }

    // May be called by any thread and by signal handlers. Does nothing when open() has failed.
    void wake() const noexcept;
    // Called by the thread that was woken, before it looks for what it was woken for.
    void clear() const noexcept;

  private:
    UniqueFd read_;
    UniqueFd write_;  // not used with an eventfd, which is written and read through one descriptor
};

}  // namespace wsp
