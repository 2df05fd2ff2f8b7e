// Why a handshake got no answer from its backend, as a value. The rows are in backend_faults.def.
#pragma once

#include "base/table.hpp"
#include "protocol/refusal_row.hpp"

namespace wsp {

enum class BackendFault {
#define WSP_ROW(name, ...) name,
#include "upstream/backend_faults.def"
};

template <>
struct Table<BackendFault> {
    using Row = RefusalRow;
    static constexpr Row kRows[] = {
#define WSP_ROW WSP_REFUSAL_ROW
#include "upstream/backend_faults.def"
    };
};

}  // namespace wsp
