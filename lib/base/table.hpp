// What every vocabulary of ours has in common: an enum, and for each of its values one row of texts and numbers. Both
// are made of the same .def file, so a value without a row, or a row without a column, does not compile.
//
// A .def file has one WSP_ROW(name, columns...) for each value and ends with #undef WSP_ROW. The vocabulary's header
// reads it twice:
//
//     enum class Fault : std::uint8_t {
//     #define WSP_ROW(name, ...) name,
//     #include "pool/faults.def"
//     };
//
//     template <>
//     struct Table<Fault> {
//         struct Row {
//             std::string_view name;
//             std::string_view text;
//         };
//         static constexpr Row kRows[] = {
//     #define WSP_ROW(name, text) {#name, text},
//     #include "pool/faults.def"
//         };
//     };
//
// row_of(), rows_of() and text_of() below are then there for Fault. All of it is constexpr and static: any thread,
// valid for ever. Texts are string literals, so text.data() ends with a NUL.
#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <string_view>

namespace wsp {

// The rows of one enum, in the order of its values.
template <typename Enum>
struct Table;

template <typename Enum>
constexpr const auto& rows_of() noexcept {
    return Table<Enum>::kRows;
}

template <typename Enum>
constexpr const typename Table<Enum>::Row& row_of(Enum value) noexcept {
    return Table<Enum>::kRows[static_cast<std::size_t>(value)];
}

// The last value (base/image.hpp).
template <typename Enum, typename = typename Table<Enum>::Row>
constexpr Enum last_of(Enum) noexcept {
    return static_cast<Enum>(std::size(Table<Enum>::kRows) - 1);
}

// The value whose row has this name.
template <typename Enum>
constexpr std::optional<Enum> value_named(std::string_view name) noexcept {
    for (std::size_t i = 0; i < std::size(rows_of<Enum>()); ++i) {
        if (rows_of<Enum>()[i].name == name) {
            return static_cast<Enum>(i);
        }
    }
    return std::nullopt;
}

// The column of this name, for log lines.
template <typename Enum, typename = typename Table<Enum>::Row>
constexpr std::string_view text_of(Enum value) noexcept {
    return row_of(value).text;
}

// The enumerator's own name, for tests.
template <typename Enum, typename = typename Table<Enum>::Row>
constexpr std::string_view name_of(Enum value) noexcept {
    return row_of(value).name;
}

}  // namespace wsp
