// recv, send and their TLS counterparts.
#include "byte_stream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace bench {
namespace {

Moved moved(ssize_t n, const char* what) {
    if (n > 0) {
        return {static_cast<std::size_t>(n), false};
    }
    if (n == 0 || errno == ECONNRESET || errno == EPIPE) {
        return {0, true};
    }
    if (errno == EAGAIN || errno == EINTR) {
        return {0, false};
    }
    throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

}  // namespace

ByteStream::ByteStream(int fd, SSL_CTX* context) : fd_(fd) {
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (context != nullptr) {
        ssl_.reset(SSL_new(context));
        SSL_set_fd(ssl_.get(), fd_);
        SSL_set_tlsext_host_name(ssl_.get(), "localhost");
    }
}

ByteStream::~ByteStream() {
    ::close(fd_);
}

bool ByteStream::shake_hands() {
    return ssl_ == nullptr || SSL_connect(ssl_.get()) == 1 || outcome_of(-1).size > 0;
}

Moved ByteStream::read(void* to, std::size_t room) {
    if (ssl_ == nullptr) {
        return moved(::recv(fd_, to, room, 0), "recv");
    }
    const int n = SSL_read(ssl_.get(), to, static_cast<int>(room));
    return n > 0 ? Moved{static_cast<std::size_t>(n), false} : outcome_of(n);
}

Moved ByteStream::write(const void* from, std::size_t size) {
    if (ssl_ == nullptr) {
        return moved(::send(fd_, from, size, MSG_NOSIGNAL), "send");
    }
    const int n = SSL_write(ssl_.get(), from, static_cast<int>(size));
    return n > 0 ? Moved{static_cast<std::size_t>(n), false} : outcome_of(n);
}

Moved ByteStream::outcome_of(int result) {
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
            return {0, false};
        case SSL_ERROR_ZERO_RETURN:
            return {0, true};
        default:
            break;
    }
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    if (code == 0 || ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        return {0, true};
    }
    throw std::runtime_error(std::string("TLS: ") + ERR_reason_error_string(code));
}

void ByteStream::send_close_notify() {
    if (ssl_ != nullptr && SSL_shutdown(ssl_.get()) < 0) {
        ERR_clear_error();
    }
}

TlsContext make_tls_context() {
    TlsContext context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX* const c = context.get();
    SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION);
    if (SSL_CTX_set_ciphersuites(c, "TLS_AES_128_GCM_SHA256") != 1 ||
        SSL_CTX_set1_groups_list(c, "X25519") != 1) {
        throw std::runtime_error("OpenSSL knows neither TLS_AES_128_GCM_SHA256 nor X25519");
    }
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(c, 1);  // fewer calls here leave more of the machine to the proxy
    return context;
}

}  // namespace bench
