// A descriptor that one thread waits on and others make readable: Linux's eventfd, a pipe elsewhere.
#pragma once

#include "base/unique_fd.hpp"

namespace wsp {

class WakeFd {
  public:
    // False with errno when the system has no descriptor left.
    [[nodiscard]] bool open() noexcept;
    bool valid() const noexcept { return read_.valid(); }
    // Readable from wake() to clear().
    int fd() const noexcept { return read_.get(); }

    // Any thread, and signal handlers. Does nothing where there is no descriptor.
    void wake() const noexcept;
    // The waiting thread, before it looks at what it was woken for.
    void clear() const noexcept;

  private:
    UniqueFd read_;
    UniqueFd write_;  // an eventfd is both
};

}  // namespace wsp
