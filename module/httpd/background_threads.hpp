// Threads of a child that do httpd's work beside its requests, and must be gone before httpd's data is.
#pragma once

#include <functional>

#include "base/clock.hpp"

namespace wsp {

// Runs `body` on a thread of its own, with all signals blocked. It must end soon after the child's
// drain or stop descriptor is readable, and lets no exception out. False with errno when the system
// refuses.
bool start_background_thread(std::function<void()> body) noexcept;

// Waits until all of them have ended, for at most `patience`. Takes no lock: prefork comes here
// from a signal handler (prefork.c just_die).
void await_background_threads(DurationUs patience) noexcept;

}  // namespace wsp
