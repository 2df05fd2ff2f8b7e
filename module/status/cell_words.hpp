// What the cells of metrics are called: the names of reasons, codes and events, as labels and for people. Any thread.
#pragma once

#include "exposition/status_report.hpp"

namespace wsp {

CellWords words_of_cell(Metric metric, std::size_t cell);

}  // namespace wsp
