// Live tunnels as CSV (RFC 4180): a line of column names, then a line for each tunnel. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "metrics/tunnel_row.hpp"

namespace wsp {

std::string rows_as_csv(const std::vector<TunnelRow>& rows);

}  // namespace wsp
