// HeaderSource over an apr_table_t.
#include "httpd/request_headers.hpp"

namespace wsp {

std::string_view TableHeaders::get(std::string_view name) const noexcept {
    const char* const value = apr_table_getm(
        pool_, table_, apr_pstrmemdup(pool_, name.data(), name.size()));  // joins with ","
    return value == nullptr ? std::string_view() : std::string_view(value);
}

bool asks_for_websocket(request_rec* r) {
    return apr_table_get(r->headers_in, "Upgrade") != nullptr &&
           wants_websocket(TableHeaders(r->pool, r->headers_in));
}

}  // namespace wsp
