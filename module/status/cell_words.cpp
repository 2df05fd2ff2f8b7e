// Each vocabulary's own names and texts.
#include "status/cell_words.hpp"

#include <iterator>

#include "handshake/refusal_cells.hpp"
#include "pool/pool_statistics.hpp"
#include "tunnel/report.hpp"

namespace wsp {
namespace {

constexpr std::string_view kDirections[] = {"in", "out"};

template <std::size_t N>
CellWords named(const std::string_view (&names)[N], std::size_t cell) {
    return {cell < N ? names[cell] : std::string_view(), "", ""};
}

// Value 0 of each table is no reason.
CellWords reason_of_end(std::size_t cell) {
    if (cell == 0 || cell >= std::size(rows_of<EndReason>())) {
        return {};
    }
    const auto& row = rows_of<EndReason>()[cell];
    const bool error = row.closed_by == "error" || row.closed_by == "ping-timeout";
    return {row.name, row.text,
            error                         ? "error"
            : row.closed_by == "operator" ? "proxy"
                                          : row.closed_by};
}

CellWords reason_of_refusal(std::size_t cell) {
    const RefusalRow* const row = refusal_of_cell(cell);
    return row != nullptr ? CellWords{row->name, row->text, ""} : CellWords{};
}

CellWords pool_event(std::size_t cell) {
    const auto& rows = rows_of<PoolEvent>();
    return {cell < std::size(rows) ? rows[cell].name : std::string_view(), "", ""};
}

}  // namespace

CellWords words_of_cell(Metric metric, std::size_t cell) {
    switch (metric) {
        case Metric::ended:
            return reason_of_end(cell);
        case Metric::refused:
            return reason_of_refusal(cell);
        case Metric::close_codes:
            return {name_of_close_code_cell(cell), "", ""};
        case Metric::messages:
        case Metric::bytes:
            return named(kDirections, cell);
        case Metric::pool_connections:
            return named(kConnectionStateNames, cell);
        case Metric::pool_events:
            return pool_event(cell);
        default:
            return {};
    }
}

}  // namespace wsp
