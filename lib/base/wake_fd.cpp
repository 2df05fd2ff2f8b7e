// Waking with eventfd(2) or pipe(2).
#include "base/wake_fd.hpp"

#include <fcntl.h>
#ifdef __linux__
#include <sys/eventfd.h>
#endif

#include <cstdint>

namespace wsp {

bool WakeFd::open() noexcept {
#ifdef __linux__
    read_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    return read_.valid();
#else
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return false;
    }
    read_.reset(ends[0]);
    write_.reset(ends[1]);
    return true;
#endif
}

void WakeFd::wake() const noexcept {
    const std::uint64_t one = 1;
    const int fd = write_.valid() ? write_.get() : read_.get();
    // A descriptor that is full is readable already.
    [[maybe_unused]] const ssize_t n = ::write(fd, &one, sizeof one);
}

void WakeFd::clear() const noexcept {
    std::uint64_t taken[8];
    while (::read(read_.get(), taken, sizeof taken) == sizeof taken) {
    }
}

}  // namespace wsp
