// The configuration as it was written, for what its modules do not tell.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// The first directive, in the order of the files, that `matches(directive)` is true for; null for
// none. A section comes before what stands in it. While and after the configuration is read.
template <class Matches>
const ap_directive_t* find_directive(const ap_directive_t* from, const Matches& matches) {
    for (; from != nullptr; from = from->next) {
        if (matches(from)) {
            return from;
        }
        if (const ap_directive_t* const inside = find_directive(from->first_child, matches)) {
            return inside;
        }
    }
    return nullptr;
}

}  // namespace wsp
