// A connection as a stream through httpd's filters: for connections that cannot leave httpd. Used
// on the request thread by the blocking pump; refers to the conn_rec, which outlives it.
#pragma once

#include "httpd/httpd.hpp"
#include "net/stream.hpp"

namespace wsp {

class FilterStream final : public Stream {
  public:
    explicit FilterStream(conn_rec* c);
    ~FilterStream() override;

    // Never blocks. Filters may hold data that poll() cannot see (TLS does). So has_buffered_input() is true after
    // every read that has found something, even if that was only a message of TLS itself, until a read has found
    // nothing.
    IoResult read_some(std::uint8_t* to, std::size_t room) noexcept override;
    // Blocks until httpd's filters have sent everything, at most for the connection's timeout.
    IoResult write_some(const std::uint8_t* from, std::size_t size) noexcept override;
    void shutdown_write() noexcept override;
    int fd() const noexcept override;  // may change when the child stops: see spare_sockets.hpp
    bool has_buffered_input() const noexcept override { return may_have_more_; }
    // mod_http2 sends RST_STREAM for a stream that the client has not ended. The client still gets all data (RFC 9113
    // 8.1).
    bool ends_at_once() const noexcept override { return c_->master != nullptr; }
    std::uint64_t wire_bytes_read() const noexcept override { return read_; }
    std::uint64_t wire_bytes_written() const noexcept override { return written_; }

  private:
    // Encrypted bytes that mod_ssl has given to OpenSSL so far. 0 without TLS.
    std::uint64_t tls_bytes_read() const noexcept;
    bool was_reset(apr_status_t status) const noexcept;
    IoResult end_of_input(apr_status_t status) const noexcept;
    apr_status_t pass_flush() noexcept;
    IoResult pass(apr_bucket* data, std::size_t size) noexcept;

    conn_rec* c_;
    apr_bucket_brigade* in_;
    apr_bucket_brigade* out_;
    bool may_have_more_ = true;
    bool request_ended_ = false;
    std::uint64_t read_ = 0;
    std::uint64_t written_ = 0;
};

}  // namespace wsp
