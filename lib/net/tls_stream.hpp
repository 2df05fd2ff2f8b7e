// Continues a TLS connection over a socket. Takes an SSL object whose handshake is done and whose former owner does not
// use it any more. Owns one reference to the SSL, and the descriptor. Never blocks; used by one thread at a time.
#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "base/unique_fd.hpp"
#include "net/stream.hpp"
#include "net/tls_secrets.hpp"

namespace wsp {

struct SslFree {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
};
using UniqueSsl = std::unique_ptr<SSL, SslFree>;

class TlsStream final : public Stream {
  public:
    // Detaches the SSL from its former owner with `neutral`, the context of make_neutral_context()
    // (net/tls_detach.hpp), and replaces its BIOs by the socket. Without memory for that, every read and write returns
    // an error, ENOMEM.
    //
    // `secrets`, which were attached to the SSL before its handshake, let the session leave OpenSSL: the stream then has
    // a successor. Null: it stays.
    TlsStream(UniqueSsl ssl, UniqueFd fd, SSL_CTX* neutral,
              std::unique_ptr<TlsSecrets> secrets = nullptr) noexcept;
    ~TlsStream() override;
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;

    IoResult read_some(std::uint8_t* to, std::size_t room) noexcept override;
    IoResult write_some(const std::uint8_t* from, std::size_t size) noexcept override;
    void shutdown_write() noexcept override;
    int fd() const noexcept override { return fd_.get(); }
    bool has_buffered_input() const noexcept override {
        return pending_end_.status != IoStatus::would_block ||
               (!needs_input_ && SSL_has_pending(ssl_.get()) == 1);
    }
    Interest interest_to_read() const noexcept override { return read_interest_; }
    Interest interest_to_write() const noexcept override { return write_interest_; }
    // A RecordStream, at the first moment at which OpenSSL holds no bytes of either direction.
    std::unique_ptr<Stream> successor(RecordWorkspace& workspace) noexcept override;
    bool awaits_successor() const noexcept override { return secrets_ != nullptr; }
    std::uint64_t wire_bytes_read() const noexcept override;
    std::uint64_t wire_bytes_written() const noexcept override;

  private:
    // What the current read_some() has read so far.
    struct ReadProgress {
        std::size_t size = 0;        // bytes for the caller
        std::size_t recv_calls = 0;  // calls of recv()
    };

    bool attach(SSL_CTX* neutral) noexcept;
    bool is_quiet() const noexcept;
    std::unique_ptr<Stream> leave_openssl(RecordWorkspace& workspace) noexcept;
    void free_ssl() noexcept;
    static long limit_recv_calls(BIO* bio, int operation, const char* data, std::size_t size, int,
                                 long, int result, std::size_t* processed) noexcept;
    IoResult failed(int result, Interest& interest) noexcept;

    // Declared before ssl_, so that it is closed after it: the BIO of the SSL does not own the descriptor, but may
    // write to it when it is freed.
    UniqueFd fd_;
    std::unique_ptr<TlsSecrets>
        secrets_;    // null when the session stays with OpenSSL; outlives ssl_
    UniqueSsl ssl_;  // null when there was no memory
    ReadProgress progress_;
    // The end or error that the last read found after the bytes that it returned. The next read returns it, since the
    // socket may never become readable again.
    IoResult pending_end_;
    Interest read_interest_ = kReadable;
    Interest write_interest_ = kWritable;
    // The last read found less than a whole TLS record, or the end. SSL_has_pending() may be true then, but reading
    // needs more input from the socket first.
    bool needs_input_ = false;
    // OpenSSL has encrypted a record that the socket has not taken whole.
    bool write_waits_ = false;
};

}  // namespace wsp
