// How the status page answers. Request thread.
#pragma once

#include <string>
#include <string_view>

#include "httpd/httpd.hpp"

namespace wsp {

inline int send(request_rec* r, std::string_view content_type, std::string_view body) {
    ap_set_content_type(r, apr_pstrmemdup(r->pool, content_type.data(), content_type.size()));
    ap_set_content_length(r, static_cast<apr_off_t>(body.size()));
    if (!r->header_only) {
        ap_rwrite(body.data(), static_cast<int>(body.size()), r);
    }
    return OK;
}

// The sentence is the body: a person reads it in curl and in a browser.
inline int send_error(request_rec* r, int status, std::string_view sentence) {
    r->status = status;
    return send(r, "text/plain; charset=utf-8", std::string(sentence) + "\n");
}

}  // namespace wsp
