// Why this server refuses a handshake, as a value. The rows are in refusal_causes.def.
#pragma once

#include "base/table.hpp"
#include "protocol/refusal_row.hpp"

namespace wsp {

enum class RefusalCause {
#define WSP_ROW(name, ...) name,
#include "handshake/refusal_causes.def"
};

template <>
struct Table<RefusalCause> {
    using Row = RefusalRow;
    static constexpr Row kRows[] = {
#define WSP_ROW WSP_REFUSAL_ROW
#include "handshake/refusal_causes.def"
    };
};

}  // namespace wsp
