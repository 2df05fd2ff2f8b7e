// Each table of reasons has its own texts; names of tables that are counted together are made different from each other.
#include "status/cell_words.hpp"

#include <array>
#include <iterator>

#include "handshake/refusal_cause.hpp"
#include "protocol/handshake.hpp"
#include "tunnel/report.hpp"
#include "upstream/backend_fault.hpp"

namespace wsp {
namespace {

constexpr std::string_view kDirections[] = {"in", "out"};
constexpr std::string_view kPoolStates[] = {"connecting", "idle", "lent", "held_down"};
constexpr std::string_view kPoolEvents[] = {"connect", "preconnect", "connect_failed", "reuse",
                                            "died",    "wait",       "wait_timed_out"};

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

template <typename Enum>
CellWords row_words(std::size_t cell, std::string_view prefix) {
    // Made once: labels live for ever.
    static const auto kNames = [prefix] {
        std::array<std::string, std::size(Table<Enum>::kRows)> names;
        for (std::size_t i = 0; i < names.size(); ++i) {
            names[i] = std::string(prefix).append(rows_of<Enum>()[i].name);
        }
        return names;
    }();
    if (cell == 0 || cell >= kNames.size()) {
        return {};
    }
    return {kNames[cell], rows_of<Enum>()[cell].text, ""};
}

CellWords reason_of_refusal(std::size_t cell) {
    constexpr std::size_t kTable = 32;  // cells for each of the three tables
    switch (cell / kTable) {
        case 0:
            return row_words<HandshakeError>(cell, "");
        case 1:
            return row_words<BackendFault>(cell - kTable, "backend_");
        default:
            return row_words<RefusalCause>(cell - 2 * kTable, "");
    }
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
            return named(kPoolStates, cell);
        case Metric::pool_events:
            return named(kPoolEvents, cell);
        default:
            return {};
    }
}

}  // namespace wsp
