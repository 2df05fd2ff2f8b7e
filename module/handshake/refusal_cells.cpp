// What the cells stand for, as one number.
#include "handshake/refusal_cells.hpp"

#include <type_traits>

#include "base/fnv1a.hpp"

namespace wsp {
namespace {

// Each name is the value of a label, so no two refusals may have the same one. By name: with -fsanitize=undefined, gcc
// takes no comparison of an address with null for a constant. Each table begins with its row "none".
template <typename One, typename Other>
constexpr bool have_no_name_in_common() {
    for (std::size_t i = 1; i < std::size(rows_of<One>()); ++i) {
        for (std::size_t j = 1; j < std::size(rows_of<Other>()); ++j) {
            const bool same_row = std::is_same_v<One, Other> && i == j;
            if (!same_row && rows_of<One>()[i].name == rows_of<Other>()[j].name) {
                return false;
            }
        }
    }
    return true;
}
static_assert(have_no_name_in_common<HandshakeError, HandshakeError>() &&
              have_no_name_in_common<HandshakeError, BackendFault>() &&
              have_no_name_in_common<HandshakeError, RefusalCause>() &&
              have_no_name_in_common<BackendFault, BackendFault>() &&
              have_no_name_in_common<BackendFault, RefusalCause>() &&
              have_no_name_in_common<RefusalCause, RefusalCause>());

}  // namespace

std::uint64_t hash_of_refusal_cells() noexcept {
    Fnv1a hash;
    for (std::size_t i = 0; i < kRefusalCells; ++i) {
        const RefusalRow* const row = refusal_of_cell(i);
        hash.text(row != nullptr ? row->name : std::string_view());
    }
    return hash.value();
}

}  // namespace wsp
