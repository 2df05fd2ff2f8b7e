// Owns one file descriptor and closes it in its destructor. Can be moved; used by one thread at a time.
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
    // From here on the caller owns the descriptor.
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
