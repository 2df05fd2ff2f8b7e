// Removes the headers of a handshake from a request, and puts them back.
#include "routing/error_pages.hpp"

#include <string>
#include <string_view>

#include "httpd/limited_log.hpp"
#include "httpd/request_context.hpp"
#include "protocol/header_tokens.hpp"

namespace wsp {
namespace {

constexpr const char* kUpgrade = "Upgrade";
constexpr const char* kConnection = "Connection";
constexpr std::string_view kWebSocketPrefix = "Sec-WebSocket-";

// The elements of a Connection header but "upgrade"; keep-alive and close stay.
std::string without_upgrade(std::string_view connection) {
    std::string rest;
    std::string_view element;
    while (next_element(connection, element)) {
        if (!iequals(element, kUpgrade)) {
            rest.append(rest.empty() ? "" : ", ").append(element);
        }
    }
    return rest;
}

bool is_of_handshake(const char* name) {
    return iequals(name, kUpgrade) || iequals(name, kConnection) ||
           iequals(std::string_view(name).substr(0, kWebSocketPrefix.size()), kWebSocketPrefix);
}

// Removes the headers of a handshake from `headers` and returns them, one row per name. Null if there is no Upgrade
// header.
apr_table_t* take_handshake(apr_pool_t* pool, apr_table_t* headers) {
    if (apr_table_get(headers, kUpgrade) == nullptr) {
        return nullptr;
    }
    apr_table_t* const taken = apr_table_make(pool, 6);
    const apr_array_header_t* const rows = apr_table_elts(headers);
    for (int i = 0; i < rows->nelts; ++i) {
        const char* const name = APR_ARRAY_IDX(rows, i, apr_table_entry_t).key;
        if (name != nullptr && is_of_handshake(name)) {
            apr_table_set(taken, name, apr_table_getm(pool, headers, name));
        }
    }
    const apr_array_header_t* const found = apr_table_elts(taken);
    for (int i = 0; i < found->nelts; ++i) {
        apr_table_unset(headers, APR_ARRAY_IDX(found, i, apr_table_entry_t).key);
    }
    const char* const connection = apr_table_get(taken, kConnection);
    const std::string rest = without_upgrade(connection != nullptr ? connection : "");
    if (!rest.empty()) {
        apr_table_set(headers, kConnection, rest.c_str());
    }
    return taken;
}

// True if `r` is for the error page of a refused handshake.
bool was_handshake(const request_rec* r) {
    for (; is_for_error_page(r); r = r->prev) {
        const RequestContext* const context = find_request_context(const_cast<request_rec*>(r));
        if (context != nullptr && context->handshake_of_error != nullptr) {
            return true;
        }
    }
    return false;
}

// The status of the first error, which the client must see.
int first_error_before(const request_rec* r) {
    while (r->prev != nullptr && r->prev->status != HTTP_OK) {
        r = r->prev;
    }
    return r->status;
}

// The status that `r`, a request for a handshake's error page, must have instead of its own.
int status_to_tell(const request_rec* r) {
    return ap_is_HTTP_REDIRECT(r->status) ? r->status : first_error_before(r);
}

constexpr const char* kErrorStatusFilter = "WSP_ERROR_STATUS";

// Changes the status only while the brigade passes. Whoever made the answer must find its own status afterwards:
// failonstatus= of a balancer looks at it.
extern "C" apr_status_t pass_with_status_of_error(ap_filter_t* filter,
                                                  apr_bucket_brigade* brigade) {
    request_rec* const r = filter->r;
    const int status = r->status;
    const char* const line = r->status_line;
    if (status_to_tell(r) != status) {
        r->status = status_to_tell(r);
        r->status_line = nullptr;
    }
    const apr_status_t passed = ap_pass_brigade(filter->next, brigade);
    r->status = status;
    r->status_line = line;
    return passed;
}

}  // namespace

bool is_for_error_page(const request_rec* r) {
    return r->prev != nullptr && r->prev->status != HTTP_OK;
}

void make_error_page_plain(request_rec* r) {
    if (!is_for_error_page(r) || apr_table_get(r->headers_in, kUpgrade) == nullptr) {
        return;
    }
    // A copy: the table is the failed request's too (http_request.c internal_internal_redirect).
    r->headers_in = apr_table_copy(r->pool, r->headers_in);
    request_context_of(r).handshake_of_error = take_handshake(r->pool, r->headers_in);
}

void complete_error_pages_for_log(request_rec* first) {
    for (request_rec* r = first->next; r != nullptr; r = r->next) {
        if (was_handshake(r)) {
            r->status = status_to_tell(r);
        }
        const RequestContext* const context = find_request_context(r);
        if (context != nullptr && context->handshake_of_error != nullptr) {
            apr_table_overlap(r->headers_in, context->handshake_of_error, APR_OVERLAP_TABLES_SET);
        }
    }
}

void keep_status_of_error(request_rec* r) {
    if (was_handshake(r)) {
        ap_add_output_filter(kErrorStatusFilter, nullptr, r, r->connection);
    }
}

void register_error_status_filter() {
    // Just before the header is written, so that mod_cache stores the page with the status that the backend gave it.
    constexpr auto kBeforeHeader = static_cast<ap_filter_type>(AP_FTYPE_PROTOCOL - 1);
    ap_register_output_filter(kErrorStatusFilter, pass_with_status_of_error, nullptr,
                              kBeforeHeader);
}

void make_subrequest_plain(request_rec* r) {
    if (r->main != nullptr) {
        take_handshake(r->pool, r->headers_in);
    }
}

int refuse_what_is_never_a_handshake(request_rec* r, const char* url) {
    if (is_for_error_page(r)) {
        warn(r, apr_psprintf(r->pool,
                             "WSP0130: the client gets httpd's own text with the error %d: the "
                             "ErrorDocument %s is mapped to %s, where only handshakes are served; "
                             "exclude its path from the mapping",
                             first_error_before(r), r->uri, url));
        // Neither 500 nor 503, which tell mod_proxy that a balancer member has failed. See keep_first_error().
        return HTTP_UPGRADE_REQUIRED;
    }
    if (r->main != nullptr) {
        warn(r,
             apr_psprintf(r->pool,
                          "WSP0131: subrequest for %s refused: it is mapped to %s, where only "
                          "handshakes are served; what a page includes (by SSI, for instance) is "
                          "never a handshake",
                          r->uri, url));
        return HTTP_UPGRADE_REQUIRED;
    }
    return OK;
}

void keep_first_error(int* status, request_rec* r) {
    if (*status == HTTP_UPGRADE_REQUIRED && is_for_error_page(r)) {
        *status = first_error_before(r);
    }
}

}  // namespace wsp
