// Statistics and rows as JSON (RFC 8259). docs/operations.md says which of its names stay. Pure; any thread.
#pragma once

#include <string>

#include "exposition/status_report.hpp"

namespace wsp {

// `page`: the rows that are shown; null: without rows.
std::string as_json(const StatusReport& report, const RowQuery& query, const RowPage* page);

}  // namespace wsp
