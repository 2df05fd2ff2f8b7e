// A non-blocking TCP connection, plain or as a TLS client: what both ends of the measurement read
// and write through. Shares no code with lib/, which is what is measured.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>

namespace bench {

// How a read or write came out.
struct Moved {
    std::size_t size = 0;  // 0: nothing now, or the end
    bool ended = false;    // the peer has closed or reset the connection
};

class ByteStream {
  public:
    // Takes the descriptor. With a context, the peer is a TLS server.
    ByteStream(int fd, SSL_CTX* context);
    ~ByteStream();
    ByteStream(const ByteStream&) = delete;
    ByteStream& operator=(const ByteStream&) = delete;

    // True once bytes may pass; until then, again after the next event.
    bool shake_hands();
    Moved read(void* to, std::size_t room);
    Moved write(const void* from, std::size_t size);
    void send_close_notify();

    int fd() const { return fd_; }
    bool is_tls() const { return ssl_ != nullptr; }

  private:
    struct FreeSsl {
        void operator()(SSL* ssl) const { SSL_free(ssl); }
    };

    Moved outcome_of(int result);

    int fd_;
    std::unique_ptr<SSL, FreeSsl> ssl_;
};

struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeContext>;

// TLS 1.3 with one cipher and one group, so that every proxy does the same work; no resumption.
TlsContext make_tls_context();

}  // namespace bench
