// Writes the page from the headers of the same response.
#include "handshake/upgrade_page.hpp"

#include "protocol/header_tokens.hpp"

namespace wsp {
namespace {

constexpr const char* kPage =
    "<!DOCTYPE html>\n"
    "<html><head><title>426 Upgrade Required</title></head><body>\n"
    "<h1>Upgrade Required</h1>\n"
    "<p>%s</p>\n"
    "</body></html>\n";

const char* what_to_use(request_rec* r) {
    const char* const version = apr_table_get(r->err_headers_out, "Sec-WebSocket-Version");
    if (version != nullptr) {
        return apr_psprintf(
            r->pool, "This server speaks only version %s of the WebSocket protocol.", version);
    }
    const char* const protocol = apr_table_get(r->err_headers_out, "Upgrade");
    if (protocol == nullptr || iequals(protocol, "websocket")) {
        return "This address is for WebSocket connections. Applications open them; a browser's "
               "address bar cannot.";
    }
    return apr_psprintf(r->pool, "This address is for connections that upgrade to %s.",
                        ap_escape_html(r->pool, protocol));
}

}  // namespace

void explain_upgrade_required(request_rec* r) {
    const int status = HTTP_UPGRADE_REQUIRED;
    if (ap_response_code_string(r, ap_index_of_response(status)) == nullptr) {
        ap_custom_response(r, status, apr_psprintf(r->pool, kPage, what_to_use(r)));
    }
}

}  // namespace wsp
