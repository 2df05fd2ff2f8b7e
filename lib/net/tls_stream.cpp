// SSL_read and SSL_write over a non-blocking socket. Their results become IoStatus.
#include "net/tls_stream.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <new>
#include <utility>

#include "net/record_stream.hpp"
#include "net/socket_stream.hpp"
#include "net/tls_detach.hpp"

namespace wsp {
namespace {

int as_int(std::size_t size) {
    return static_cast<int>(std::min<std::size_t>(size, INT_MAX));
}

// How many bytes each recv() must have given the caller, on average, before the same read calls recv() again. A socket
// that is full of KeyUpdates or tickets gives the caller nothing, and OpenSSL would go on until it is empty, at 11 us
// and more for each.
constexpr std::size_t kMinBytesPerRecv = 4096;

}  // namespace

TlsStream::TlsStream(UniqueSsl ssl, UniqueFd fd, SSL_CTX* neutral,
                     std::unique_ptr<TlsSecrets> secrets) noexcept
    : fd_(std::move(fd)), secrets_(std::move(secrets)), ssl_(std::move(ssl)) {
    prepare_tunnel_socket(fd_.get());
    if (!attach(neutral)) {
        free_ssl();
        pending_end_ = kNoMemory;
        needs_input_ = true;
    }
    ERR_clear_error();
}

TlsStream::~TlsStream() {
    free_ssl();
}

void TlsStream::free_ssl() noexcept {
    if (!ssl_) {
        return;
    }
    const ProtectedSessions protected_sessions;
    TlsSecrets::detach(ssl_.get());
    // OpenSSL marks the session of a connection as bad when it ends without close_notify. httpd ends its own aborted
    // connections in this way (mod_ssl/ssl_engine_io.c ssl_filter_io_shutdown).
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    ssl_.reset();
}

bool TlsStream::attach(SSL_CTX* neutral) noexcept {
    SSL* const ssl = ssl_.get();
    if (!detach_from_owner(ssl, neutral) || SSL_set_fd(ssl, fd_.get()) != 1) {
        return false;
    }
    if (secrets_) {
        secrets_->count_again(ssl);
    }
    BIO* const socket = SSL_get_rbio(ssl);
    BIO_set_callback_ex(socket, limit_recv_calls);
    BIO_set_callback_arg(socket, reinterpret_cast<char*>(&progress_));
#ifdef SSL_OP_IGNORE_UNEXPECTED_EOF
    // Browsers send FIN without close_notify. WebSocket has its own end mark, the Close frame. Without this option
    // OpenSSL 3 would take it for an attack, answer with a fatal alert and write no more.
    SSL_set_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
#endif
    SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                          SSL_MODE_RELEASE_BUFFERS);
    // One recv() for a whole record, instead of one for its header and one for its body.
    SSL_set_read_ahead(ssl, 1);
    return true;
}

// OpenSSL calls this before and after each operation on the BIO of the socket. `result` is the result that the
// operation is going to have.
long TlsStream::limit_recv_calls(BIO* bio, int operation, const char*, std::size_t, int, long,
                                 int result, std::size_t*) noexcept {
    if (operation != BIO_CB_READ) {
        return result;
    }
    ReadProgress& progress = *reinterpret_cast<ReadProgress*>(BIO_get_callback_arg(bio));
    if (progress.size >= progress.recv_calls * kMinBytesPerRecv) {
        ++progress.recv_calls;
        return result;
    }
    BIO_clear_retry_flags(bio);
    BIO_set_retry_read(bio);  // as if the socket were empty; the poller reports it again at once
    return -1;
}

IoResult TlsStream::read_some(std::uint8_t* to, std::size_t room) noexcept {
    if (pending_end_.status != IoStatus::would_block) {
        return std::exchange(pending_end_, IoResult{});
    }
    if (!ssl_) {
        return kNoMemory;
    }
    const ProtectedSessions protected_sessions;
    progress_ = {};
    std::size_t& size = progress_.size;
    read_interest_ = kReadable;
    // A record has at most 16 KiB. Read as many records as there are, so that one write can forward them.
    do {
        errno = 0;  // OpenSSL 1.1 reports a bare FIN as SSL_ERROR_SYSCALL and does not set errno
        const int n = SSL_read(ssl_.get(), to + size, as_int(room - size));
        if (n <= 0) {
            const IoResult outcome = failed(n, read_interest_);
            needs_input_ = true;
            if (size == 0) {
                return outcome;
            }
            pending_end_ = outcome;
            return {IoStatus::ok, size, 0};
        }
        size += static_cast<std::size_t>(n);
        needs_input_ = false;
    } while (size < room && SSL_has_pending(ssl_.get()) == 1);
    return {IoStatus::ok, size, 0};
}

IoResult TlsStream::write_some(const std::uint8_t* from, std::size_t size) noexcept {
    if (!ssl_) {
        return kNoMemory;
    }
    const ProtectedSessions protected_sessions;
    progress_ = {};
    write_interest_ = kWritable;
    const int n = SSL_write(ssl_.get(), from, as_int(size));
    write_waits_ = n <= 0;
    if (n <= 0) {
        return failed(n, write_interest_);
    }
    return {IoStatus::ok, static_cast<std::size_t>(n), 0};
}

IoResult TlsStream::failed(int result, Interest& interest) noexcept {
    const int saved_errno = errno;
    const int reason = SSL_get_error(ssl_.get(), result);
    IoResult outcome{IoStatus::error, 0, saved_errno};
    switch (reason) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
            interest = reason == SSL_ERROR_WANT_READ ? kReadable : kWritable;
            return {IoStatus::would_block, 0, 0};  // there is no error in the queue
        case SSL_ERROR_ZERO_RETURN:
            outcome = {IoStatus::eof, 0, 0};
            break;
        case SSL_ERROR_SYSCALL:
            if (saved_errno == 0) {
                outcome = {IoStatus::eof, 0, 0};
            }
            break;
        default:
            break;
    }
    ERR_clear_error();
    return outcome;
}

void TlsStream::shutdown_write() noexcept {
    const ProtectedSessions protected_sessions;
    if (ssl_ && SSL_shutdown(ssl_.get()) < 0) {
        ERR_clear_error();  // the socket is full or broken: only FIN is sent
    }
    ::shutdown(fd_.get(), SHUT_WR);
}

// The next byte of either direction begins a record. Neither of the first two conditions is enough: with a header read
// and its body not, SSL_has_pending() is 0; with a record decrypted and not taken, the state is "RH".
bool TlsStream::is_quiet() const noexcept {
    return SSL_has_pending(ssl_.get()) == 0 &&
           std::strcmp(SSL_rstate_string(ssl_.get()), "RH") == 0 && !write_waits_ &&
           pending_end_.status == IoStatus::would_block;
}

std::unique_ptr<Stream> TlsStream::successor(RecordWorkspace& workspace) noexcept {
    if (!ssl_ || !secrets_) {
        return nullptr;
    }
    const TlsDeparture obstacle = secrets_->obstacle(ssl_.get());
    if (obstacle == TlsDeparture::handshake || (obstacle == TlsDeparture::none && !is_quiet())) {
        return nullptr;
    }
    std::unique_ptr<Stream> found =
        obstacle == TlsDeparture::none ? leave_openssl(workspace) : nullptr;
    if (ssl_) {
        TlsSecrets::detach(ssl_.get());
    }
    secrets_.reset();
    return found;
}

// Null without memory: the session then stays with OpenSSL.
std::unique_ptr<Stream> TlsStream::leave_openssl(RecordWorkspace& workspace) noexcept {
    auto reader = secrets_->take_reader(ssl_.get(), workspace.crypto);
    auto writer = secrets_->take_writer(ssl_.get(), workspace.crypto);
    if (!reader || !writer) {
        return nullptr;
    }
    const WireBytes so_far{wire_bytes_read(), wire_bytes_written()};
    std::unique_ptr<Stream> left(new (std::nothrow) RecordStream(
        std::move(fd_), std::move(*reader), std::move(*writer), so_far, workspace));
    if (left) {
        free_ssl();
    }
    return left;
}

std::uint64_t TlsStream::wire_bytes_read() const noexcept {
    return ssl_ ? BIO_number_read(SSL_get_rbio(ssl_.get())) : 0;
}

std::uint64_t TlsStream::wire_bytes_written() const noexcept {
    return ssl_ ? BIO_number_written(SSL_get_wbio(ssl_.get())) : 0;
}

}  // namespace wsp
