// ap_get_brigade and ap_pass_brigade with their outcomes sorted into IoStatus.
#include "handoff/filter_stream.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>

#include "apr_portable.h"
#include "httpd/connection_context.hpp"
#include "httpd/socket_fd.hpp"

namespace wsp {
namespace {

// An HTTP/2 stream has no socket: mod_http2 answers with a pipe (http_core.h
// ap_get_pollfd_from_conn).
int descriptor_of(conn_rec* c) {
    apr_pollfd_t watched{};
    if (pollfd_of(c, watched) != APR_SUCCESS) {
        return -1;
    }
    if (watched.desc_type == APR_POLL_SOCKET) {
        return fd_of(watched.desc.s);
    }
    if (watched.desc_type == APR_POLL_FILE) {
        apr_os_file_t fd = -1;
        apr_os_file_get(&fd, watched.desc.f);
        return fd;
    }
    return -1;
}

bool ends_stream(apr_bucket_brigade* brigade) {
    return !APR_BRIGADE_EMPTY(brigade) && APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(brigade));
}

}  // namespace

FilterStream::FilterStream(conn_rec* c)
    : c_(c),
      in_(apr_brigade_create(c->pool, c->bucket_alloc)),
      out_(apr_brigade_create(c->pool, c->bucket_alloc)) {}

int FilterStream::fd() const noexcept {
    return descriptor_of(c_);
}

FilterStream::~FilterStream() {
    apr_brigade_destroy(in_);
    apr_brigade_destroy(out_);
}

std::uint64_t FilterStream::tls_bytes_read() const noexcept {
    const ConnectionContext* const context = connection_context_of(c_);
    BIO* const input =
        context != nullptr && context->ssl != nullptr ? SSL_get_rbio(context->ssl) : nullptr;
    return input != nullptr ? BIO_number_read(input) : 0;
}

// A client that ends an HTTP/2 stream resets it, or its whole connection is gone (a closed tab): mod_http2 has one
// status for both (h2_c2.c h2_c2_abort). Nothing has broken.
bool FilterStream::was_reset(apr_status_t status) const noexcept {
    return c_->master != nullptr && APR_STATUS_IS_ECONNABORTED(status);
}

IoResult FilterStream::end_of_input(apr_status_t status) const noexcept {
    if (APR_STATUS_IS_EOF(status) || was_reset(status)) {
        return {IoStatus::eof, 0, 0};
    }
    return {IoStatus::error, 0, status};
}

IoResult FilterStream::read_some(std::uint8_t* to, std::size_t room) noexcept {
    may_have_more_ = false;
    const std::uint64_t before = tls_bytes_read();
    const apr_status_t status = ap_get_brigade(c_->input_filters, in_, AP_MODE_READBYTES,
                                               APR_NONBLOCK_READ, static_cast<apr_off_t>(room));
    if (APR_STATUS_IS_EAGAIN(status) || APR_STATUS_IS_EINTR(status) ||
        (status == APR_SUCCESS && APR_BRIGADE_EMPTY(in_))) {
        // After a KeyUpdate or a ticket mod_ssl says "nothing now", whatever stands behind it in its buffers
        // (ssl_engine_io.c ssl_io_input_read, SSL_ERROR_WANT_READ).
        may_have_more_ = tls_bytes_read() != before;
        return {IoStatus::would_block, 0, 0};
    }
    if (status != APR_SUCCESS) {
        return end_of_input(status);
    }
    apr_size_t size = room;
    const apr_status_t copied = apr_brigade_flatten(in_, reinterpret_cast<char*>(to), &size);
    const bool last = ends_stream(in_);
    apr_brigade_cleanup(in_);
    if (copied != APR_SUCCESS) {
        return {IoStatus::error, 0, copied};
    }
    if (size == 0 && last && request_ended_) {
        return {IoStatus::eof, 0, 0};
    }
    // mod_http2 ends the request that opens a tunnel with an EOS and goes on with the stream
    // (h2_ws.c is_upgrade).
    request_ended_ = request_ended_ || last;
    may_have_more_ = size > 0 || last;
    if (size == 0) {
        return {IoStatus::would_block, 0, 0};
    }
    read_ += size;
    return {IoStatus::ok, size, 0};
}

IoResult FilterStream::write_some(const std::uint8_t* from, std::size_t size) noexcept {
    return pass(
        apr_bucket_transient_create(reinterpret_cast<const char*>(from), size, c_->bucket_alloc),
        size);
}

apr_status_t FilterStream::pass_flush() noexcept {
    APR_BRIGADE_INSERT_TAIL(out_, apr_bucket_flush_create(c_->bucket_alloc));
    const apr_status_t status = ap_pass_brigade(c_->output_filters, out_);
    apr_brigade_cleanup(out_);
    return status;
}

IoResult FilterStream::pass(apr_bucket* data, std::size_t size) noexcept {
    APR_BRIGADE_INSERT_TAIL(out_, data);
    const apr_status_t status = pass_flush();
    if (status != APR_SUCCESS || c_->aborted) {
        return {IoStatus::error, 0, was_reset(status) ? 0 : status};
    }
    written_ += size;
    return {IoStatus::ok, size, 0};
}

void FilterStream::shutdown_write() noexcept {
    if (c_->master != nullptr) {
        pass(apr_bucket_eos_create(c_->bucket_alloc), 0);  // END_STREAM
        return;
    }
    // Not ap_shutdown_conn(): it ends mod_ssl's TLS for reading as well (ssl_engine_io.c, EOC
    // bucket).
    const ConnectionContext* const context = connection_context_of(c_);
    if (context != nullptr && context->ssl != nullptr) {
        SSL_shutdown(context->ssl);
        ERR_clear_error();
    }
    pass_flush();
    if (apr_socket_t* const socket = ap_get_conn_socket(c_)) {
        apr_socket_shutdown(socket, APR_SHUTDOWN_WRITE);
    }
}

}  // namespace wsp
