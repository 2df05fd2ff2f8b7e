// Column by column, as row_columns.def has them.
#include "exposition/csv.hpp"

#include "exposition/row_columns.hpp"
#include "exposition/text.hpp"

namespace wsp {
namespace {

void append_value(std::string& out, const TunnelRow& row, RowColumn column) {
    const RowValue value = value_of(row, column);
    switch (row_of(column).kind) {
        case ColumnKind::count:
            append_number(out, value.number);
            break;
        case ColumnKind::time:
            append_seconds(out, value.number);
            break;
        case ColumnKind::flag:
            out += value.number != 0 ? "true" : "false";
            break;
        default:
            append_csv(out, value.text);
    }
}

}  // namespace

std::string rows_as_csv(const std::vector<TunnelRow>& rows) {
    std::string out;
    out.reserve(200 * (rows.size() + 1));
    for (std::size_t i = 0; i < kRowColumns; ++i) {
        out += i == 0 ? "" : ",";
        out += row_of(static_cast<RowColumn>(i)).exported;
    }
    out += "\r\n";
    for (const TunnelRow& row : rows) {
        for (std::size_t i = 0; i < kRowColumns; ++i) {
            out += i == 0 ? "" : ",";
            append_value(out, row, static_cast<RowColumn>(i));
        }
        out += "\r\n";
    }
    return out;
}

}  // namespace wsp
