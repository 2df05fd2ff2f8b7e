// lib's rule on close codes, for the setters in C.
#include "config/directive_values.h"
#include "protocol/close_code.hpp"

int wsp_is_close_code(int64_t code) {
    return code > 0 && code <= UINT16_MAX && wsp::may_be_sent(static_cast<std::uint16_t>(code));
}
