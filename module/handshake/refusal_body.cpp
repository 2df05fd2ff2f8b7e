// Passes a body on as httpd's HTTP_IN filter delivers it; that filter finds the end of the body.
#include "handshake/refusal_body.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>
#include <system_error>

#include "httpd/limited_log.hpp"
#include "protocol/header_tokens.hpp"
#include "routing/mapping.hpp"

namespace wsp {
namespace {

// Slower bodies are given up when the patience is used up: they would hold a thread for nothing.
constexpr DurationUs kBytesPerSecond = 1024;

// A pool for one body: what HTTP_IN makes is destroyed before the backend's connection is.
class BodyPool {
  public:
    explicit BodyPool(apr_pool_t* parent) {
        apr_pool_create(&pool_, parent);
        apr_pool_tag(pool_, "wsp_refusal_body");
    }
    ~BodyPool() { apr_pool_destroy(pool_); }
    BodyPool(const BodyPool&) = delete;
    BodyPool& operator=(const BodyPool&) = delete;

    operator apr_pool_t*() const { return pool_; }

  private:
    apr_pool_t* pool_ = nullptr;
};

// `digits` as a number; the largest one where they do not fit.
apr_uint64_t number_in(std::string_view digits) {
    apr_uint64_t number = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return parsed.ec == std::errc() ? number : std::numeric_limits<apr_uint64_t>::max();
}

// The part of the body that was read with the head, up to the body's length.
std::string_view begin_of_body(const UpgradeResponse& answer) {
    std::string_view begin = answer.body;
    for (const HeaderField& field : answer.head.fields) {
        if (iequals(field.name, "Content-Length")) {
            begin = begin.substr(0, number_in(field.value));
        }
    }
    return begin;
}

const char* length_to_come(apr_pool_t* pool, std::string_view length,
                           const UpgradeResponse& answer) {
    return answer.body.empty() ? apr_pstrmemdup(pool, length.data(), length.size())
                               : apr_psprintf(pool, "%" APR_UINT64_T_FMT,
                                              number_in(length) - begin_of_body(answer).size());
}

// A request that is really a response, so that httpd's HTTP_IN filter reads its body
// (http_filters.c ap_http_filter).
request_rec* response_as_request(apr_pool_t* pool, request_rec* r, conn_rec* origin,
                                 const UpgradeResponse& answer) {
    const ResponseHead& head = answer.head;
    auto* const fake = static_cast<request_rec*>(apr_pcalloc(pool, sizeof(request_rec)));
    fake->pool = pool;
    fake->connection = origin;
    fake->server = r->server;
    fake->log = r->log;
    fake->proxyreq = PROXYREQ_RESPONSE;
    fake->request_time = r->request_time;
    fake->status = HTTP_OK;
    fake->proto_num = HTTP_VERSION(head.http_major, head.http_minor);
    fake->method = "GET";
    fake->method_number = M_GET;
    fake->headers_in = apr_table_make(pool, 2);
    fake->headers_out = apr_table_make(pool, 1);
    fake->err_headers_out = apr_table_make(pool, 1);
    fake->subprocess_env = apr_table_make(pool, 1);
    fake->notes = apr_table_make(pool, 1);
    fake->trailers_in = apr_table_make(pool, 1);
    fake->trailers_out = apr_table_make(pool, 1);
    fake->per_dir_config = r->per_dir_config;
    fake->request_config = static_cast<ap_conf_vector_t*>(ap_create_request_config(pool));
    fake->input_filters = fake->proto_input_filters = origin->input_filters;
    fake->output_filters = fake->proto_output_filters = origin->output_filters;
    for (const HeaderField& field : head.fields) {
        if (iequals(field.name, "Content-Length")) {  // several equal ones count as one
            apr_table_setn(fake->headers_in, "Content-Length",
                           length_to_come(pool, field.value, answer));
        } else if (iequals(field.name, "Transfer-Encoding")) {
            apr_table_mergen(fake->headers_in, "Transfer-Encoding",
                             apr_pstrmemdup(pool, field.value.data(), field.value.size()));
        }
    }
    ap_proxy_pre_http_request(origin, fake);  // adds HTTP_IN
    return fake;
}

class BodyRelay {
  public:
    BodyRelay(request_rec* r, BackendConnection& backend, const UpgradeResponse& answer,
              DurationUs patience)
        : r_(r),
          io_(backend.io()),
          pool_(r->pool),
          fake_(response_as_request(pool_, r, backend.record()->connection, answer)),
          in_(apr_brigade_create(pool_, backend.record()->connection->bucket_alloc)),
          out_(apr_brigade_create(pool_, r->connection->bucket_alloc)),
          patience_(patience),
          left_(patience),
          begin_(begin_of_body(answer)) {}

    bool run() {
        for (bool goes_on = send_begin(); goes_on; goes_on = next_piece()) {
        }
        apr_brigade_cleanup(in_);
        return whole_;
    }

  private:
    // Returns the same as next_piece().
    bool send_begin() {
        if (begin_.empty()) {
            return true;
        }
        APR_BRIGADE_INSERT_TAIL(out_, apr_bucket_transient_create(begin_.data(), begin_.size(),
                                                                  r_->connection->bucket_alloc));
        unflushed_ = true;
        return pass();
    }

    // False when the body has ended, broken off, or the client has gone.
    bool next_piece() {
        apr_status_t status = read(APR_NONBLOCK_READ);
        if (APR_STATUS_IS_EAGAIN(status)) {
            if (!flush()) {
                return false;
            }
            status = read(APR_BLOCK_READ);
        }
        if (status != APR_SUCCESS && !APR_STATUS_IS_EOF(status)) {
            break_off(status);
            return false;
        }
        apr_off_t size = 0;
        apr_brigade_length(in_, 1, &size);
        left_ = std::min<DurationUs>(left_ + size * kSecond / kBytesPerSecond, patience_);
        whole_ = !APR_BRIGADE_EMPTY(in_) && APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(in_));
        const bool ends =
            whole_ ||
            APR_BRIGADE_EMPTY(in_);  // an end of the connection, where the body has no length
        ap_proxy_buckets_lifetime_transform(r_, in_, out_);
        if (ends && !whole_) {
            APR_BRIGADE_INSERT_TAIL(out_, apr_bucket_eos_create(r_->connection->bucket_alloc));
        }
        const bool sent = pass();
        unflushed_ = true;
        apr_brigade_cleanup(in_);
        return sent && !ends;
    }

    apr_status_t read(apr_read_type_e block) {
        const MonotonicUs begin = monotonic_now();
        const BackendIo::Limit limit(io_, begin + left_);
        const apr_status_t status =
            ap_get_brigade(fake_->input_filters, in_, AP_MODE_READBYTES, block, AP_IOBUFSIZE);
        left_ -= monotonic_now() - begin;
        return status;
    }

    bool flush() {
        if (!unflushed_) {
            return true;
        }
        unflushed_ = false;
        APR_BRIGADE_INSERT_TAIL(out_, apr_bucket_flush_create(r_->connection->bucket_alloc));
        return pass();
    }

    // False when the client has gone.
    bool pass() {
        const apr_status_t status = ap_pass_brigade(r_->output_filters, out_);
        apr_brigade_cleanup(out_);
        return status == APR_SUCCESS && !r_->connection->aborted;
    }

    void break_off(apr_status_t status) {
        switch (io_.fault()) {
            case BackendIo::Fault::timed_out:
                warn(r_, apr_pstrcat(r_->pool,
                                     "WSP0135: the body of the backend's refusal was given up: it "
                                     "came too slowly, less than 1 KiB a second; ",
                                     name_of_request(r_), nullptr));
                break;
            case BackendIo::Fault::stopping:
                ap_log_rerror(
                    APLOG_MARK, APLOG_INFO, 0, r_,
                    "WSP0136: the body of the backend's refusal was given up: httpd is stopping");
                break;
            default:
                warn(r_,
                     apr_pstrcat(r_->pool, "WSP0117: the body of the backend's refusal broke off; ",
                                 name_of_request(r_), nullptr),
                     {APLOG_WARNING, status});
        }
        ap_proxy_backend_broke(r_, out_);
        pass();
    }

    request_rec* r_;
    BackendIo& io_;
    BodyPool pool_;
    request_rec* fake_;
    apr_bucket_brigade* in_;
    apr_bucket_brigade* out_;
    const DurationUs patience_;
    DurationUs left_;               // of the patience
    const std::string_view begin_;  // what was read with the head
    bool unflushed_ = false;        // httpd may hold bytes that the client has not got
    bool whole_ = false;
};

}  // namespace

bool relay_body(request_rec* r, BackendConnection& backend, const UpgradeResponse& answer,
                DurationUs patience) {
    return BodyRelay(r, backend, answer, patience).run();
}

}  // namespace wsp
