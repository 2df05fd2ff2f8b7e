// Hints for people about a connect() that has failed. Pure; any thread.
#pragma once

#include <string_view>

namespace wsp {

// Returns the one of two errnos that is better to report. An errno that says that the system forbids the connection
// comes first, since nobody looks for that.
int more_telling_error(int one, int other) noexcept;

// Returns a sentence without its full stop. Empty when nothing is known about the errno. `is_unix` says that the
// address is the path of a Unix socket.
std::string_view hint_for_connect_error(int error, bool is_unix) noexcept;

}  // namespace wsp
