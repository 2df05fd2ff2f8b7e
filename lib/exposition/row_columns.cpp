// One case for each column.
#include "exposition/row_columns.hpp"

namespace wsp {
namespace {

RowValue value(const std::string& text) noexcept {
    return {text, 0};
}
RowValue value(std::uint64_t count) noexcept {
    return {{}, static_cast<std::int64_t>(count)};
}
RowValue value(std::int64_t number) noexcept {
    return {{}, number};
}
RowValue value(bool flag) noexcept {
    return {{}, flag ? 1 : 0};
}
RowValue value(TunnelRow::State state) noexcept {
    return {state == TunnelRow::State::open ? "open" : "closing", 0};
}
RowValue value(TunnelRow::Mode mode) noexcept {
    return {mode == TunnelRow::Mode::pumped ? "pumped" : "blocking", 0};
}

}  // namespace

RowValue value_of(const TunnelRow& row, RowColumn column) noexcept {
    switch (column) {
#define WSP_ROW(name, ...) \
    case RowColumn::name:  \
        return value(row.name);
#include "exposition/row_columns.def"
    }
    return {};
}

}  // namespace wsp
