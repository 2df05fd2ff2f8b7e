// Searches httpd's tree of directives: the configuration as it was written, for settings that a module does not tell.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// The first directive, in the order of the files, for which matches(directive) is true; null if there is none. A
// section comes before the directives in it. Main thread, while the configuration is read and afterwards.
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
