// Whether an order names a virtual host and a backend that are there: a name with a mistake in it would pause nobody.
// Request thread; may throw bad_alloc.
#pragma once

#include <string>

#include "httpd/httpd.hpp"
#include "metrics/snapshot.hpp"

namespace wsp {

// A sentence with the names that there are, or "" where `vhost` and `backend` (metrics/series_names.hpp; empty: all)
// name something of the configuration or of the statistics.
std::string unknown_name(const server_rec* main_server, const ServerSnapshot& statistics,
                         const std::string& vhost, const std::string& backend);

}  // namespace wsp
