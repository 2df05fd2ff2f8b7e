// clock_gettime behind one name.
#include "base/clock.hpp"

#include <ctime>

namespace wsp {

MonotonicUs monotonic_now() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return MonotonicUs{now.tv_sec} * kSecond + now.tv_nsec / 1000;
}

}  // namespace wsp
