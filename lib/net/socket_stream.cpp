// recv, send and shutdown. Their errnos become IoStatus.
#include "net/socket_stream.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace wsp {
namespace {

IoResult failed() {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
        return {IoStatus::would_block, 0, 0};
    }
    return {IoStatus::error, 0, errno};
}

}  // namespace

void prepare_tunnel_socket(int fd) noexcept {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) == 0) {
        ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    }
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

SocketStream::SocketStream(UniqueFd fd) noexcept : fd_(std::move(fd)) {
    prepare_tunnel_socket(fd_.get());
}

IoResult SocketStream::read_some(std::uint8_t* to, std::size_t room) noexcept {
    const ssize_t n = ::recv(fd_.get(), to, room, 0);
    if (n < 0) {
        return failed();
    }
    if (n == 0) {
        return {IoStatus::eof, 0, 0};
    }
    read_ += static_cast<std::uint64_t>(n);
    return {IoStatus::ok, static_cast<std::size_t>(n), 0};
}

IoResult SocketStream::write_some(const std::uint8_t* from, std::size_t size) noexcept {
    const ssize_t n = ::send(fd_.get(), from, size, MSG_NOSIGNAL);
    if (n < 0) {
        return failed();
    }
    written_ += static_cast<std::uint64_t>(n);
    return {IoStatus::ok, static_cast<std::size_t>(n), 0};
}

void SocketStream::shutdown_write() noexcept {
    ::shutdown(fd_.get(), SHUT_WR);
}

}  // namespace wsp
