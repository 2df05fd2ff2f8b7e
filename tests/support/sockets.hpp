// Connected sockets for tests, and a peer's calls on them that never wait for ever.
#pragma once

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/unique_fd.hpp"

namespace wsp::test {

constexpr int kPatienceMs = 30'000;  // generous: a loaded machine under a sanitizer

struct SocketPair {
    UniqueFd ours, theirs;
};

inline int checked(int result, const char* what) {
    if (result < 0)
        throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
    return result;
}

inline SocketPair unix_pair() {
    int ends[2];
    checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// Two ends of one TCP connection over loopback.
inline SocketPair tcp_pair() {
    const UniqueFd listener(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    checked(::bind(listener.get(), generic, size), "bind");
    checked(::listen(listener.get(), 1), "listen");
    checked(::getsockname(listener.get(), generic, &size), "getsockname");
    UniqueFd theirs(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    checked(::connect(theirs.get(), generic, size), "connect");
    UniqueFd ours(checked(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
    return {std::move(ours), std::move(theirs)};
}

inline SocketPair make_pair(bool tcp) {
    return tcp ? tcp_pair() : unix_pair();
}

// Small buffers, so that little fills them.
inline void shrink_buffers(int fd) {
    const int size = 4096;
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

// Closes with RST instead of FIN. TCP only.
inline void reset(UniqueFd& fd) {
    const linger hard{1, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    fd.reset();
}

inline bool wait_for(int fd, short events, int patience_ms = kPatienceMs) {
    pollfd slot{fd, events, 0};
    return ::poll(&slot, 1, patience_ms) == 1;
}

// False when the peer has gone or does not read.
inline bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(n));
        } else if ((errno != EAGAIN && errno != EINTR) || !wait_for(fd, POLLOUT)) {
            return false;
        }
    }
    return true;
}

// Until there are `size` bytes, the peer has ended, or patience has.
inline std::string read_up_to(int fd, std::size_t size) {
    std::string got;
    char chunk[16 * 1024];
    while (got.size() < size && wait_for(fd, POLLIN)) {
        const std::size_t room = std::min(sizeof chunk, size - got.size());
        const ssize_t n = ::recv(fd, chunk, room, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            break;
        got.append(chunk, n > 0 ? static_cast<std::size_t>(n) : 0);
    }
    return got;
}

// Everything up to FIN (or RST).
inline std::string read_to_end(int fd) {
    return read_up_to(fd, SIZE_MAX);
}

// True when the peer has sent FIN and nothing in front of it.
inline bool at_end(int fd) {
    char byte;
    return wait_for(fd, POLLIN) && ::recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

inline std::size_t open_descriptors() {
    std::size_t count = 0;
    DIR* const all = ::opendir("/proc/self/fd");
    while (all != nullptr && ::readdir(all) != nullptr)
        ++count;
    ::closedir(all);
    return count;
}

// For what nothing announces. True as soon as `holds()`.
template <class Condition>
bool await(Condition holds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until)
            return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

}  // namespace wsp::test
