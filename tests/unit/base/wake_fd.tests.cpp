// A descriptor that is readable from wake() to clear().
#include "base/wake_fd.hpp"

#include <poll.h>

#include <catch2/catch.hpp>

using namespace wsp;

namespace {

bool is_readable(const WakeFd& wake_fd) {
    pollfd slot{wake_fd.fd(), POLLIN, 0};
    return ::poll(&slot, 1, 0) == 1;
}

}  // namespace

TEST_CASE("one clear() is enough after any number of wake(), and it can be woken again", "[wake]") {
    WakeFd wake_fd;
    REQUIRE(wake_fd.open());
    CHECK(wake_fd.valid());
    CHECK_FALSE(is_readable(wake_fd));
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 10'000; ++i)
            wake_fd.wake();
        CHECK(is_readable(wake_fd));
        wake_fd.clear();
        CHECK_FALSE(is_readable(wake_fd));
    }
}

TEST_CASE("without a descriptor wake() and clear() do nothing", "[wake]") {
    const WakeFd closed;
    CHECK_FALSE(closed.valid());
    CHECK(closed.fd() == -1);
    closed.wake();
    closed.clear();
}
