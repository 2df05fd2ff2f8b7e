// Passes header fields and bodies of the backend's answer on to the client.
#include "handshake/response_relay.hpp"

#include <string>

#include "handshake/refusal_body.hpp"
#include "protocol/header_tokens.hpp"

namespace wsp {
namespace {

// RFC 9110 7.6.1, and what each hop negotiates for itself. take_over_headers() removes Connection, with what it lists.
bool is_hop_by_hop(std::string_view name) {
    for (const char* field :
         {"Keep-Alive", "Proxy-Authenticate", "TE", "Trailer", "Transfer-Encoding", "Upgrade"}) {
        if (iequals(name, field)) {
            return true;
        }
    }
    return false;
}

// ProxyPassReverse and ProxyPassReverseCookiePath/Domain.
const char* mapped_back(request_rec* r, proxy_dir_conf* config, const char* name,
                        const char* value) {
    for (const char* location : {"Location", "Content-Location", "URI", "Destination"}) {
        if (iequals(name, location)) {
            return ap_proxy_location_reverse_map(r, config, value);
        }
    }
    return iequals(name, "Set-Cookie") ? ap_proxy_cookie_reverse_map(r, config, value) : value;
}

// The field's value; several are joined with commas. Null: there is none.
const char* field_of(const ResponseHead& head, request_rec* r, const char* name) {
    const char* joined = nullptr;
    for (const HeaderField& field : head.fields) {
        if (iequals(field.name, name)) {
            joined = apr_psprintf(r->pool, "%s%s%.*s", joined != nullptr ? joined : "",
                                  joined != nullptr ? ", " : "",
                                  static_cast<int>(field.value.size()), field.value.data());
        }
    }
    return joined;
}

// An output filter that drops all data, for running another filter only for what it does to the headers.
ap_filter_t nowhere(request_rec* r) {
    static ap_filter_rec_t record = [] {
        ap_filter_rec_t made{};
        made.name = "wsp_nowhere";
        made.filter_func.out_func = [](ap_filter_t*, apr_bucket_brigade* brigade) {
            apr_brigade_cleanup(brigade);
            return apr_status_t{APR_SUCCESS};
        };
        made.ftype = AP_FTYPE_NETWORK;
        return made;
    }();
    ap_filter_t filter{};
    filter.frec = &record;
    filter.r = r;
    filter.c = r->connection;
    return filter;
}

// mod_headers works in an output filter, which an interim response does not pass. So a copy of that filter, with
// nowhere() behind it, gets an empty brigade: it edits the headers, does not find itself in the chain, and passes
// nothing on.
void apply_header_directives(request_rec* r) {
    for (const ap_filter_t* filter = r->output_filters; filter != nullptr; filter = filter->next) {
        if (strcasecmp(filter->frec->name, "fixup_headers_out") == 0) {
            ap_filter_t end = nowhere(r);
            ap_filter_t copy = *filter;
            copy.next = &end;
            apr_bucket_brigade* const nothing =
                apr_brigade_create(r->pool, r->connection->bucket_alloc);
            copy.frec->filter_func.out_func(&copy, nothing);
            apr_brigade_destroy(nothing);
            break;
        }
    }
    // "Header always" edits err_headers_out, which every response carries (http_filters.c).
    r->headers_out = apr_table_overlay(r->pool, r->err_headers_out, r->headers_out);
    apr_table_clear(r->err_headers_out);
}

// True when the backend keeps the connection open and there is no doubt where the answer ends (RFC 9112 6.3, 9.3). NTLM
// and Negotiate authenticate connections, not requests: such a connection belongs to one client.
bool leaves_connection_open(const UpgradeResponse& answer) {
    const ResponseHead& head = answer.head;
    if (head.ignored_lines > 0 || !answer.body.empty()) {
        return false;  // the ignored line may have been about that
    }
    const bool modern = head.http_major > 1 || head.http_minor >= 1;
    int lengths = 0;
    bool chunked = false;
    for (const HeaderField& field : head.fields) {
        const std::string_view value = trim(field.value);
        if ((iequals(field.name, "Connection") && has_token(value, "close")) ||
            (iequals(field.name, "WWW-Authenticate") &&
             (has_token(value.substr(0, value.find(' ')), "NTLM") ||
              has_token(value.substr(0, value.find(' ')), "Negotiate")))) {
            return false;
        }
        lengths += iequals(field.name, "Content-Length") ? 1 : 0;
        if (iequals(field.name, "Transfer-Encoding")) {
            if (chunked || !iequals(value, "chunked")) {
                return false;
            }
            chunked = true;
        }
    }
    const bool one_end = lengths + (chunked ? 1 : 0) == 1;
    return modern &&
           (one_end || head.status == HTTP_NO_CONTENT || head.status == HTTP_NOT_MODIFIED);
}

bool has_body(int status) {
    return status != HTTP_NO_CONTENT && status != HTTP_NOT_MODIFIED && status != HTTP_RESET_CONTENT;
}

void end_response(request_rec* r) {
    apr_bucket_alloc_t* const buckets = r->connection->bucket_alloc;
    apr_bucket_brigade* const end = apr_brigade_create(r->pool, buckets);
    APR_BRIGADE_INSERT_TAIL(end, apr_bucket_eos_create(buckets));
    ap_pass_brigade(r->output_filters, end);
}

// RFC 9112 6.3: a length that is no number, or lengths that differ, make the answer unusable.
bool lengths_are_sound(const ResponseHead& head) {
    const HeaderField* first = nullptr;
    for (const HeaderField& field : head.fields) {
        if (iequals(field.name, "Content-Length")) {
            const bool is_number =
                !field.value.empty() &&
                field.value.find_first_not_of("0123456789") == std::string_view::npos;
            if (!is_number || (first != nullptr && first->value != field.value)) {
                return false;
            }
            first = &field;
        }
    }
    return true;
}

}  // namespace

RefusalCause take_over_headers(request_rec* r, const ResponseHead& head) {
    if (!lengths_are_sound(head)) {
        return RefusalCause::bad_lengths;
    }
    // A 101 has no length (RFC 9110 8.6), and with chunks a length does not count (RFC 9112 6.3).
    bool has_length = head.status == HTTP_SWITCHING_PROTOCOLS ||
                      field_of(head, r, "Transfer-Encoding") != nullptr;
    auto* const config =
        static_cast<proxy_dir_conf*>(ap_get_module_config(r->per_dir_config, &proxy_module));
    apr_table_t* const kept = apr_table_make(r->pool, static_cast<int>(head.fields.size()) + 4);
    apr_table_do(
        [](void* to, const char* name, const char* value) {
            apr_table_addn(static_cast<apr_table_t*>(to), name, value);
            return 1;
        },
        kept, r->headers_out, "Set-Cookie", nullptr);
    for (const HeaderField& field : head.fields) {
        const bool is_length = iequals(field.name, "Content-Length");
        if (is_hop_by_hop(field.name) || (is_length && has_length)) {
            continue;
        }
        has_length = has_length || is_length;
        const char* const name = apr_pstrmemdup(r->pool, field.name.data(), field.name.size());
        const char* const value = apr_pstrmemdup(r->pool, field.value.data(), field.value.size());
        apr_table_addn(kept, name, mapped_back(r, config, name, value));
    }
    auto* const clear_connection = APR_RETRIEVE_OPTIONAL_FN(ap_proxy_clear_connection);
    if (clear_connection != nullptr && clear_connection(r, kept) < 0) {
        return RefusalCause::bad_connection_field;
    }
    r->headers_out = kept;
    return RefusalCause::none;
}

void add_via(request_rec* r, const proxy_server_conf& conf, const char* port) {
    if (conf.viaopt != proxy_server_conf::via_on && conf.viaopt != proxy_server_conf::via_full) {
        return;
    }
    const char* name = ap_get_server_name(r);
    if (name == r->hostname) {
        // UseCanonicalName Off: the name is what the client has sent. proxy_util.c ap_proxy_create_hdrbrgd avoids it
        // too.
        name = r->server->server_hostname;
    }
    const char* product = "";
    if (conf.viaopt == proxy_server_conf::via_full) {
        ap_version_t version;
        ap_get_server_revision(&version);
        product = apr_psprintf(r->pool, " (" AP_SERVER_BASEPRODUCT "/%d.%d.%d)", version.major,
                               version.minor, version.patch);
    }
    // RFC 9110 7.6.3
    apr_table_addn(r->headers_out, "Via",
                   apr_psprintf(r->pool, "%d.%d %s%s%s", HTTP_VERSION_MAJOR(r->proto_num),
                                HTTP_VERSION_MINOR(r->proto_num), name, port, product));
}

bool send_switching_protocols(request_rec* r, const char* protocol) {
    r->status = HTTP_SWITCHING_PROTOCOLS;
    r->status_line = nullptr;
    apply_header_directives(r);
    apr_table_setn(r->headers_out, "Upgrade", protocol);
    apr_table_setn(r->headers_out, "Connection", "Upgrade");
    // ap_send_interim_response() empties the table, but the access log needs it.
    apr_table_t* const sent = apr_table_copy(r->pool, r->headers_out);
    ap_send_interim_response(r, 1);
    r->headers_out = sent;
    return !r->connection->aborted;
}

int relay_refusal(request_rec* r, BackendConnection& backend, const UpgradeResponse& answer,
                  DurationUs patience, bool& whole) {
    const ResponseHead& head = answer.head;
    whole = false;
    r->status = head.status;
    r->status_line = apr_psprintf(r->pool, "%03d %.*s", head.status,
                                  static_cast<int>(head.reason.size()), head.reason.data());
    if (const char* const type = apr_table_get(r->headers_out, "Content-Type")) {
        ap_set_content_type(r, apr_pstrdup(r->pool, type));
    }
    const char* const offered = field_of(head, r, "Upgrade");
    if (offered != nullptr &&
        has_token(offered, "websocket")) {  // 426: part of the answer, not of this hop
        apr_table_setn(r->headers_out, "Upgrade", offered);
        apr_table_setn(r->headers_out, "Connection", "Upgrade");
    }
    auto* const config =
        static_cast<proxy_dir_conf*>(ap_get_module_config(r->per_dir_config, &proxy_module));
    if (ap_proxy_should_override(config, head.status)) {
        r->status = HTTP_OK;
        r->status_line = nullptr;
        apr_table_setn(r->notes, "proxy-error-override", "1");
        return head.status;
    }
    r->sent_bodyct = 1;
    if (has_body(head.status)) {
        whole = relay_body(r, backend, answer, patience) && leaves_connection_open(answer);
    } else {
        end_response(r);
        whole = leaves_connection_open(answer);
    }
    return OK;
}

}  // namespace wsp
