// The cells of Metric::refused: one for each row of the three tables of refusals, one table after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

#include "handshake/refusal_cause.hpp"
#include "metrics/metrics.hpp"
#include "protocol/handshake.hpp"
#include "upstream/backend_fault.hpp"

namespace wsp {

constexpr std::size_t cell_of(HandshakeError error) noexcept {
    return static_cast<std::size_t>(error);
}
constexpr std::size_t cell_of(BackendFault fault) noexcept {
    return std::size(rows_of<HandshakeError>()) + static_cast<std::size_t>(fault);
}
constexpr std::size_t cell_of(RefusalCause cause) noexcept {
    return std::size(rows_of<HandshakeError>()) + std::size(rows_of<BackendFault>()) +
           static_cast<std::size_t>(cause);
}
inline constexpr std::size_t kRefusalCells =
    cell_of(RefusalCause::none) + std::size(rows_of<RefusalCause>());
static_assert(kRefusalCells <= row_of(Metric::refused).cells, "make Metric::refused larger");

// The refusal that has this cell; null: none has.
constexpr const RefusalRow* refusal_of_cell(std::size_t cell) noexcept {
    if (cell == cell_of(HandshakeError::none) || cell == cell_of(BackendFault::none) ||
        cell == cell_of(RefusalCause::none) || cell >= kRefusalCells) {
        return nullptr;
    }
    if (cell > cell_of(RefusalCause::none)) {
        return &rows_of<RefusalCause>()[cell - cell_of(RefusalCause::none)];
    }
    return cell > cell_of(BackendFault::none)
               ? &rows_of<BackendFault>()[cell - cell_of(BackendFault::none)]
               : &rows_of<HandshakeError>()[cell];
}

// For prepare_statistics().
std::uint64_t hash_of_refusal_cells() noexcept;

}  // namespace wsp
