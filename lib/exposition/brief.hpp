// The most important numbers for mod_status: its page has room for a few. Pure; any thread.
#pragma once

#include <string>

#include "metrics/snapshot.hpp"

namespace wsp {

// A heading and a list, in the style of mod_status's page.
std::string as_brief_html(const ServerSnapshot& snapshot);
// Lines for ?auto: "WebsocketTunnelsOpen: 3".
std::string as_brief_lines(const ServerSnapshot& snapshot);

}  // namespace wsp
