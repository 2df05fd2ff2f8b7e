// The columns of a tunnel's row as a vocabulary (row_columns.def), and their values in one form, for sorting, JSON and
// CSV. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/table.hpp"
#include "metrics/tunnel_row.hpp"

namespace wsp {

enum class ColumnKind : std::uint8_t { text, count, time, flag, state, mode };

enum class RowColumn : std::uint8_t {
#define WSP_ROW(name, ...) name,
#include "exposition/row_columns.def"
};

template <>
struct Table<RowColumn> {
    struct Row {
        std::string_view name;
        std::string_view exported;
        ColumnKind kind;
        bool searched;
    };
    static constexpr Row kRows[] = {
#define WSP_ROW(name, kind, exported, searched) {#name, exported, ColumnKind::kind, searched},
#include "exposition/row_columns.def"
    };
};

inline constexpr std::size_t kRowColumns = std::size(Table<RowColumn>::kRows);

// `text` for text, state and mode, `number` for the others: a flag is 0 or 1, a time in microseconds.
struct RowValue {
    std::string_view text;
    std::int64_t number = 0;
};

// Refers to `row`.
RowValue value_of(const TunnelRow& row, RowColumn column) noexcept;

}  // namespace wsp
