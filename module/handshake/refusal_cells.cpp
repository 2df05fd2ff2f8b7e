// What the cells stand for, as one number.
#include "handshake/refusal_cells.hpp"

#include "base/fnv1a.hpp"

namespace wsp {
namespace {

// Each name is the value of a label, so no two refusals may have the same one.
constexpr bool have_names_of_their_own() {
    for (std::size_t i = 0; i < kRefusalCells; ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const RefusalRow* const one = refusal_of_cell(i);
            const RefusalRow* const other = refusal_of_cell(j);
            if (one != nullptr && other != nullptr && one->name == other->name) {
                return false;
            }
        }
    }
    return true;
}
static_assert(have_names_of_their_own());

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
