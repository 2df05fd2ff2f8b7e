// A connection output filter around protocol/extended_connect.
#include "handshake/connect_offer.hpp"

#include <string_view>

#include "handoff/kept_threads.hpp"
#include "httpd/boundary.hpp"
#include "httpd/connection_context.hpp"
#include "protocol/extended_connect.hpp"

namespace wsp {
namespace {

ap_filter_rec_t* the_filter = nullptr;

// What the filter holds back of one connection: bytes of its first frame, and the metadata buckets between them. In the
// connection's pool.
struct FirstFrame {
    explicit FirstFrame(conn_rec* c) : between(apr_brigade_create(c->pool, c->bucket_alloc)) {}

    ExtendedConnectRemover remover;
    apr_bucket_brigade* between;  // metadata
};

// A flush or an end must be passed on at once.
bool cannot_wait(const apr_bucket* bucket) {
    return APR_BUCKET_IS_FLUSH(bucket) || APR_BUCKET_IS_EOS(bucket) || AP_BUCKET_IS_EOC(bucket);
}

// Inserts before `at` what was held back.
void give_out(FirstFrame& frame, apr_bucket* at, apr_bucket_alloc_t* alloc) {
    if (frame.remover.size() > 0) {
        APR_BUCKET_INSERT_BEFORE(
            at, apr_bucket_heap_create(reinterpret_cast<const char*>(frame.remover.data()),
                                       frame.remover.size(), nullptr, alloc));
    }
    while (!APR_BRIGADE_EMPTY(frame.between)) {
        apr_bucket* const kept = APR_BRIGADE_FIRST(frame.between);
        APR_BUCKET_REMOVE(kept);
        APR_BUCKET_INSERT_BEFORE(at, kept);
    }
}

// Takes the bytes of the first frame out of the brigade. Sets `over` when the filter has nothing more to do; the
// brigade then has everything that is to be sent.
apr_status_t take_in(FirstFrame& frame, apr_bucket_brigade* bb, bool& over) {
    apr_bucket* bucket = APR_BRIGADE_FIRST(bb);
    while (bucket != APR_BRIGADE_SENTINEL(bb)) {
        apr_bucket* next = APR_BUCKET_NEXT(bucket);
        if (APR_BUCKET_IS_METADATA(bucket)) {
            if (cannot_wait(bucket) && frame.remover.size() > 0) {
                break;
            }
            if (frame.remover.size() > 0) {
                APR_BUCKET_REMOVE(bucket);
                APR_BRIGADE_INSERT_TAIL(frame.between, bucket);
            }
            bucket = next;
            continue;
        }
        const char* data = nullptr;
        apr_size_t size = 0;
        if (const apr_status_t status = apr_bucket_read(bucket, &data, &size, APR_BLOCK_READ)) {
            return status;
        }
        const std::size_t taken =
            frame.remover.take(reinterpret_cast<const std::uint8_t*>(data), size);
        if (taken < size) {
            apr_bucket_split(bucket, taken);
        }
        next = APR_BUCKET_NEXT(bucket);
        apr_bucket_delete(bucket);
        bucket = next;
        if (frame.remover.done()) {
            break;
        }
    }
    over = frame.remover.done() || bucket != APR_BRIGADE_SENTINEL(bb);
    if (over) {
        give_out(frame, bucket, bb->bucket_alloc);
    }
    return APR_SUCCESS;
}

apr_status_t on_output(ap_filter_t* f, apr_bucket_brigade* bb) noexcept {
    bool over = false;
    const apr_status_t status = take_in(*static_cast<FirstFrame*>(f->ctx), bb, over);
    if (status != APR_SUCCESS) {
        return status;
    }
    if (over) {
        ap_remove_output_filter(f);
    }
    return APR_BRIGADE_EMPTY(bb) ? APR_SUCCESS : ap_pass_brigade(f->next, bb);
}

// Without TLS, mod_http2 finds out later whether the client speaks HTTP/2 (h2_c1.c h2_c1_hook_process_connection).
bool may_become_http2(conn_rec* c) {
    return !ap_ssl_conn_is_ssl(c) || std::string_view(ap_get_protocol(c)) == "h2";
}

}  // namespace

void register_connect_offer() {
    the_filter =
        ap_register_output_filter("WSP_CONNECT_OFFER", on_output, nullptr, AP_FTYPE_CONNECTION);
}

void decide_connect_offer(conn_rec* c, KeptThreads& kept_threads) {
    ConnectionContext* const context = c->master == nullptr ? connection_context_of(c) : nullptr;
    if (context == nullptr || context->offer_decided) {
        return;
    }
    context->offer_decided = true;  // event comes back here for each piece of work
    if (kept_threads.withholds_offer() && may_become_http2(c)) {
        ap_add_output_filter_handle(the_filter, make_in_pool<FirstFrame>(c->pool, c), nullptr, c);
    }
}

}  // namespace wsp
