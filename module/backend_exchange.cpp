// Request out, response head in, through httpd's filters, so that TLS to the backend is mod_ssl's.
#include "backend_exchange.hpp"

#include <poll.h>

#include <algorithm>
#include <climits>

#include "apr_portable.h"
#include "child.hpp"

namespace wsp {
namespace {

// Response heads are a few hundred bytes; cookies and policies make some a few KiB.
constexpr std::size_t kMaxHead = 128 * 1024;
// mod_proxy_http's limit (AP_MAX_INTERIM_RESPONSES).
constexpr int kMaxInterim = 10;

ExchangeFault fault_of(apr_status_t status) {
    return APR_STATUS_IS_TIMEUP(status) ? ExchangeFault::timed_out : ExchangeFault::closed;
}

// Adds one line, or as much of a long one as there is, to `text`.
ExchangeFault read_line(proxy_conn_rec* backend, apr_time_t deadline, std::string& text) {
    const apr_time_t left = deadline - apr_time_now();
    if (left <= 0) {
        return ExchangeFault::timed_out;
    }
    apr_socket_timeout_set(backend->sock, left);
    apr_bucket_brigade* const brigade = backend->tmp_bb;
    apr_brigade_cleanup(brigade);
    const apr_status_t status = ap_get_brigade(backend->connection->input_filters, brigade,
                                               AP_MODE_GETLINE, APR_BLOCK_READ, 0);
    if (status != APR_SUCCESS) {
        return fault_of(status);
    }
    char* data = nullptr;
    apr_size_t size = 0;
    if (apr_brigade_pflatten(brigade, &data, &size, backend->connection->pool) != APR_SUCCESS ||
        size == 0) {
        return ExchangeFault::closed;
    }
    apr_brigade_cleanup(brigade);
    text.append(data, size);
    return text.size() > kMaxHead ? ExchangeFault::too_large : ExchangeFault::none;
}

bool ends_with_empty_line(const std::string& text) {
    const auto ends_with = [&text](const char* end, std::size_t size) {
        return text.size() >= size && text.compare(text.size() - size, size, end) == 0;
    };
    return ends_with("\n\r\n", 3) || ends_with("\n\n", 2);
}

// A peer that does not speak HTTP may never end its first line or send an empty one: one look at
// the beginning is enough to know.
bool cannot_be_http(const std::string& text) {
    static constexpr char kStart[] = "HTTP/1.";
    return text.compare(0, std::min(text.size(), sizeof kStart - 1), kStart,
                        std::min(text.size(), sizeof kStart - 1)) != 0;
}

ExchangeFault read_head(proxy_conn_rec* backend, apr_time_t deadline, Answer& answer) {
    answer.text.clear();
    do {
        const ExchangeFault fault = read_line(backend, deadline, answer.text);
        if (fault != ExchangeFault::none) {
            return fault;
        }
        if (cannot_be_http(answer.text)) {
            return ExchangeFault::not_http;
        }
    } while (!ends_with_empty_line(answer.text));
    return parse_response_head(answer.text, answer.head) == HeadFault::none
               ? ExchangeFault::none
               : ExchangeFault::not_http;
}

// Waits for the first byte of the answer, or for the child to be told to stop: a thread that waits for a silent backend
// would hold up the end of its process.
ExchangeFault await_first_byte(proxy_conn_rec* backend, apr_time_t deadline) {
    apr_os_sock_t fd = -1;
    apr_os_sock_get(&fd, backend->sock);
    for (;;) {
        const apr_time_t left = deadline - apr_time_now();
        if (left <= 0) {
            return ExchangeFault::timed_out;
        }
        pollfd waited[] = {{fd, POLLIN, 0}, {Child::current().stop_fd(), POLLIN, 0}};
        const auto milliseconds = std::min<apr_time_t>(left / 1000 + 1, INT_MAX);
        if (::poll(waited, 2, static_cast<int>(milliseconds)) <= 0) {
            continue;
        }
        return waited[0].revents != 0 ? ExchangeFault::none : ExchangeFault::stopping;
    }
}

}  // namespace

const char* text_of(ExchangeFault fault) {
    switch (fault) {
        case ExchangeFault::none:
            return "answered";
        case ExchangeFault::send_failed:
            return "did not take the request";
        case ExchangeFault::timed_out:
            return "did not answer in time";
        case ExchangeFault::stopping:
            return "had not answered when httpd stopped";
        case ExchangeFault::closed:
            return "closed the connection before it had answered";
        case ExchangeFault::too_large:
            return "sent a response head of more than 128 KiB";
        case ExchangeFault::not_http:
            return "did not answer with an HTTP/1.x response head";
    }
    return "failed";
}

ExchangeFault send_request(request_rec* r, proxy_conn_rec* backend, proxy_worker* worker,
                           proxy_server_conf* conf, apr_uri_t* uri, char* url, char* server_portstr,
                           const char* protocol) {
    conn_rec* const c = backend->connection;
    // mod_proxy makes the head's buckets from the client's allocator.
    apr_bucket_alloc_t* const buckets = r->connection->bucket_alloc;
    apr_bucket_brigade* const head = apr_brigade_create(r->pool, buckets);
    char* content_length = nullptr;
    char* transfer_encoding = nullptr;
    if (ap_proxy_create_hdrbrgd(r->pool, head, r, backend, worker, conf, uri, url, server_portstr,
                                &content_length, &transfer_encoding) != OK) {
        return ExchangeFault::send_failed;
    }
    // "websocket" in lower case, as browsers write it: some backends compare with case.
    apr_brigade_putstrs(head, nullptr, nullptr, "Upgrade: ", protocol,
                        CRLF "Connection: Upgrade" CRLF CRLF, nullptr);
    return ap_proxy_pass_brigade(buckets, r, backend, c, head, 1) == OK
               ? ExchangeFault::none
               : ExchangeFault::send_failed;
}

ExchangeFault read_answer(proxy_conn_rec* backend, apr_time_t deadline, Answer& answer) {
    const ExchangeFault before = await_first_byte(backend, deadline);
    if (before != ExchangeFault::none) {
        return before;
    }
    for (int i = 0; i < kMaxInterim; ++i) {
        const ExchangeFault fault = read_head(backend, deadline, answer);
        if (fault != ExchangeFault::none) {
            return fault;
        }
        if (answer.head.status == HTTP_SWITCHING_PROTOCOLS || answer.head.status >= 200) {
            return ExchangeFault::none;
        }
    }
    return ExchangeFault::not_http;
}

}  // namespace wsp
