// What a person can do about a connect() that has failed. Pure; any thread.
#pragma once

#include <string_view>

namespace wsp {

// Which errno is most worth telling, of two: one that says that the system forbids it is, since nobody looks for that.
int more_telling_error(int one, int other) noexcept;

// A sentence without its full stop; empty where nothing is known of the errno. `is_unix`: the address is a path.
std::string_view hint_for_connect_error(int error, bool is_unix) noexcept;

}  // namespace wsp
