// Sole ownership of one file descriptor. Movable, closes in its destructor; any thread, one at a
// time.
#pragma once

#include <unistd.h>

#include <utility>

namespace wsp {

class UniqueFd {
  public:
    UniqueFd() noexcept = default;
    explicit UniqueFd(int fd) noexcept : fd_(fd) {}
    UniqueFd(UniqueFd&& from) noexcept : fd_(from.release()) {}
    UniqueFd& operator=(UniqueFd&& from) noexcept {
        if (this != &from) {
            reset(from.release());
        }
        return *this;
    }
    UniqueFd(const UniqueFd&) = delete;
    UniqueFd& operator=(const UniqueFd&) = delete;
    ~UniqueFd() { reset(); }

    int get() const noexcept { return fd_; }
    bool valid() const noexcept { return fd_ >= 0; }
    // The caller owns the descriptor from here on.
    int release() noexcept { return std::exchange(fd_, -1); }
    void reset(int fd = -1) noexcept {
        if (fd_ >= 0) {
            ::close(fd_);
        }
        fd_ = fd;
    }

  private:
    int fd_ = -1;
};

}  // namespace wsp
