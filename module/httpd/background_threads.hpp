// Threads of ours that use httpd's data besides the request threads, and so must end before httpd destroys that data.
#pragma once

#include <functional>

#include "base/clock.hpp"

namespace wsp {

// Runs `body` on a new thread, with all signals blocked. `body` must end soon after the child's drain or stop
// descriptor is readable. An exception of it is logged and ends the thread. False with errno when the system refuses.
// Any thread.
bool start_background_thread(std::function<void()> body) noexcept;

// Waits until all of these threads have ended, for at most `patience`. The child's main thread. Takes no lock, since
// prefork gets here from a signal handler (prefork.c just_die).
void await_background_threads(DurationUs patience) noexcept;

}  // namespace wsp
