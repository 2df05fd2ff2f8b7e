// Writes and reads through httpd's filters, so that mod_ssl does TLS.
#include "upstream/upgrade_exchange.hpp"

#include <algorithm>
#include <string_view>

#include "protocol/header_tokens.hpp"

namespace wsp {
namespace {

// Response heads are a few hundred bytes; cookies and policies make some a few KiB.
constexpr std::size_t kMaxHead = 128 * 1024;

// mod_proxy_http's limit (AP_MAX_INTERIM_RESPONSES).
constexpr int kMaxInterim = 10;

struct HeadLimits {
    std::size_t field = kMaxHead;
    std::size_t head = kMaxHead;
};

// responsefieldsize= is the size of mod_proxy_http's buffer for one field and a NUL. The head may be larger by one such
// field.
HeadLimits limits_of(const proxy_worker_shared& shared) {
    HeadLimits limits;
    if (shared.response_field_size_set) {
        limits.field = shared.response_field_size - 1;
        limits.head += limits.field;
    }
    return limits;
}

// Why a read or a write has failed: because of the limit, or `otherwise`.
BackendFault fault_of(BackendConnection& backend, BackendFault otherwise) {
    switch (backend.io().fault()) {
        case BackendIo::Fault::timed_out:
            return BackendFault::late;
        case BackendIo::Fault::stopping:
            return BackendFault::stopping;
        default:
            return otherwise;
    }
}

// Appends to a string, since memory from the connection's pool would be kept through many responses.
apr_status_t append(std::string& text, apr_bucket_brigade* brigade) {
    for (apr_bucket* bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade);
         bucket = APR_BUCKET_NEXT(bucket)) {
        const char* data = nullptr;
        apr_size_t size = 0;
        const apr_status_t status = apr_bucket_read(bucket, &data, &size, APR_BLOCK_READ);
        if (status != APR_SUCCESS) {
            return status;
        }
        text.append(data, size);
    }
    return APR_SUCCESS;
}

// Appends one line to `text`, or a part of a long line.
BackendFault read_piece(BackendConnection& backend, std::string& text) {
    proxy_conn_rec& record = *backend.record();
    const std::size_t before = text.size();
    apr_brigade_cleanup(record.tmp_bb);
    apr_status_t status = ap_get_brigade(record.connection->input_filters, record.tmp_bb,
                                         AP_MODE_GETLINE, APR_BLOCK_READ, 0);
    if (status == APR_SUCCESS) {
        status = append(text, record.tmp_bb);
    }
    apr_brigade_cleanup(record.tmp_bb);
    return status == APR_SUCCESS && text.size() > before ? BackendFault::none
                                                         : fault_of(backend, BackendFault::closed);
}

// The line that begins there, without its CRLF.
std::string_view line_at(const std::string& text, std::size_t begin) {
    std::string_view line = std::string_view(text).substr(begin);
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) {
        line.remove_suffix(1);
    }
    return line;
}

// Whether the beginning of the text is not that of an HTTP response. A peer that does not speak HTTP may never end its
// first line.
bool cannot_be_http(const std::string& text) {
    static constexpr char kStart[] = "HTTP/1.";
    return text.compare(0, std::min(text.size(), sizeof kStart - 1), kStart,
                        std::min(text.size(), sizeof kStart - 1)) != 0;
}

// Appends one whole line to `text`. `line` refers to it, without its CRLF.
BackendFault read_line(BackendConnection& backend, std::string& text, std::string_view& line) {
    const HeadLimits limits = limits_of(*backend.record()->worker->s);
    const std::size_t begin = text.size();
    do {
        const BackendFault fault = read_piece(backend, text);
        if (fault != BackendFault::none) {
            return fault;
        }
        if (cannot_be_http(text)) {
            return BackendFault::not_http;
        }
        line = line_at(text, begin);
        if (line.size() > limits.field || text.size() > limits.head) {
            return text.size() > limits.head ? BackendFault::too_large : BackendFault::long_field;
        }
    } while (text.back() != '\n');
    return BackendFault::none;
}

BadHeader bad_header_of(const proxy_server_conf& conf) {
    switch (conf.badopt) {
        case proxy_server_conf::bad_ignore:
            return BadHeader::ignore;
        case proxy_server_conf::bad_body:
            return BadHeader::start_body;
        default:
            return BadHeader::is_error;
    }
}

// Reads until the empty line, or until a line with which ProxyBadHeader lets the body begin.
BackendFault read_lines(BackendConnection& backend, BadHeader bad_header, UpgradeResponse& answer) {
    std::string_view line;
    do {
        const std::size_t begin = answer.text.size();
        const BackendFault fault = read_line(backend, answer.text, line);
        if (fault != BackendFault::none) {
            return fault;
        }
        if (begin == 0) {  // keeps the status even if the head is not valid
            parse_response_head(answer.text, answer.head);
        } else if (bad_header == BadHeader::start_body && kind_of_line(line) == LineKind::other) {
            answer.body = answer.text.substr(begin);
            answer.text.resize(begin);
            return BackendFault::none;
        }
    } while (!line.empty());
    return BackendFault::none;
}

// Whether a body may begin without the empty line. Not with a 101, which has no body, and not with chunks: the line
// would have been the size of the first chunk.
bool may_begin_a_body(const ResponseHead& head) {
    return head.status >= 200 &&
           std::none_of(head.fields.begin(), head.fields.end(), [](const HeaderField& field) {
               return iequals(field.name, "Transfer-Encoding");
           });
}

BackendFault read_head(BackendConnection& backend, BadHeader bad_header, UpgradeResponse& answer) {
    answer = UpgradeResponse();
    const BackendFault fault = read_lines(backend, bad_header, answer);
    if (fault != BackendFault::none) {
        return fault;
    }
    switch (parse_response_head(answer.text, answer.head, bad_header)) {
        case HeadFault::none:
            return answer.body.empty() || may_begin_a_body(answer.head) ? BackendFault::none
                                                                        : BackendFault::bad_line;
        case HeadFault::bad_field:
            return BackendFault::bad_line;
        case HeadFault::bad_octet:
            return BackendFault::bad_octet;
        default:
            return BackendFault::not_http;
    }
}

}  // namespace

BackendFault send_upgrade_request(request_rec* r, BackendConnection& backend,
                                  proxy_server_conf* conf, BackendRoute& route,
                                  const char* protocol) {
    proxy_conn_rec* const record = backend.record();
    // mod_proxy makes the buckets of the head with the client connection's allocator.
    apr_bucket_alloc_t* const buckets = r->connection->bucket_alloc;
    apr_bucket_brigade* const head = apr_brigade_create(r->pool, buckets);
    char* content_length = nullptr;
    char* transfer_encoding = nullptr;
    if (ap_proxy_create_hdrbrgd(r->pool, head, r, record, record->worker, conf, &route.uri,
                                route.path, route.server_port, &content_length,
                                &transfer_encoding) != OK) {
        return BackendFault::send_failed;
    }
    // "websocket" is in lower case, as browsers write it: some backends compare it with case.
    apr_brigade_putstrs(head, nullptr, nullptr, "Upgrade: ", protocol,
                        CRLF "Connection: Upgrade" CRLF CRLF, nullptr);
    return ap_proxy_pass_brigade(buckets, r, record, record->connection, head, 1) == OK
               ? BackendFault::none
               : fault_of(backend, BackendFault::send_failed);
}

BackendFault read_upgrade_response(BackendConnection& backend, const proxy_server_conf& conf,
                                   UpgradeResponse& answer) {
    for (int i = 0; i < kMaxInterim; ++i) {
        const BackendFault fault = read_head(backend, bad_header_of(conf), answer);
        if (fault != BackendFault::none) {
            return fault;
        }
        if (answer.head.status == HTTP_SWITCHING_PROTOCOLS || answer.head.status >= 200) {
            return BackendFault::none;
        }
    }
    return BackendFault::not_http;
}

}  // namespace wsp
