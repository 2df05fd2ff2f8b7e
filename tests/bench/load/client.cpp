// The client's way from connect() to the answered Close.
#include "client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <random>
#include <stdexcept>
#include <vector>

namespace bench {
namespace {

constexpr std::size_t kScratchSize = 256 * 1024;

std::uint8_t* scratch() {
    static std::vector<std::uint8_t> bytes(kScratchSize);
    return bytes.data();
}

int begin_connecting(int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    if (fd < 0 || (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 &&
                   errno != EINPROGRESS)) {
        throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
    }
    return fd;
}

std::string random_bytes(std::size_t size) {
    std::mt19937 source(6455);
    std::string bytes(size, '\0');
    for (char& byte : bytes) {
        byte = static_cast<char>(source());
    }
    return bytes;
}

}  // namespace

Message::Message(std::size_t size)
    : size_(size), frame_(frame_head(kBinary, true, size) + random_bytes(size)) {}

Client::Client(EventLoop& loop, const Target& target, const Message& message, Listener& listener)
    : stream_(begin_connecting(target.port), target.tls),
      target_(target),
      message_(message),
      listener_(listener) {
    loop.watch(stream_.fd(), *this);
}

void Client::send_message() {
    busy_ = true;
    send(message_.frame());
}

void Client::send_close() {
    small_ = frame_head(kClose, true, 2) + "\x34\x12";  // 1000 under the masking key
    send(small_);
}

void Client::on_event(std::uint32_t events) {
    if (stage_ == Stage::connecting) {
        if (!connected()) {
            return;
        }
        stage_ = Stage::upgrading;
        small_ = handshake_request(target_.port);
        send(small_);
    } else if (sending_ != nullptr) {
        flush();
    }
    if ((events & ~std::uint32_t{EPOLLOUT}) != 0) {
        read_all((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
    }
}

bool Client::connected() {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(stream_.fd(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
        throw std::runtime_error(std::string("connect: ") + std::strerror(error));
    }
    return stream_.shake_hands();
}

void Client::send(const std::string& bytes) {
    sending_ = &bytes;
    sent_ = 0;
    flush();
}

void Client::flush() {
    while (sent_ < sending_->size()) {
        const Moved put = stream_.write(sending_->data() + sent_, sending_->size() - sent_);
        if (put.ended) {
            throw std::runtime_error("the proxy ended a connection that was being written to");
        }
        if (put.size == 0) {
            return;
        }
        sent_ += put.size;
    }
    sending_ = nullptr;
}

// A short read has emptied a socket, but says nothing about TLS; see the backend about
// `to_the_end`.
void Client::read_all(bool to_the_end) {
    while (stage_ != Stage::closed) {
        const Moved got = stream_.read(scratch(), kScratchSize);
        if (got.ended) {
            throw std::runtime_error(stage_ == Stage::open ? "the proxy ended a tunnel"
                                                           : "the proxy ended a handshake");
        }
        take(scratch(), got.size);
        if (got.size == 0 || (got.size < kScratchSize && !to_the_end && !stream_.is_tls())) {
            return;
        }
    }
}

void Client::take(const std::uint8_t* data, std::size_t size) {
    const std::size_t used = stage_ == Stage::upgrading ? take_answer(data, size) : 0;
    frames_.feed(data + used, size - used, *this);
}

// Returns how much of `data` belongs to the handshake's answer.
std::size_t Client::take_answer(const std::uint8_t* data, std::size_t size) {
    const std::size_t before = answer_.size();
    answer_.append(reinterpret_cast<const char*>(data), size);
    const std::size_t end = answer_.find(kHeadEnd);
    if (end == std::string::npos) {
        return size;
    }
    if (answer_.compare(0, 13, "HTTP/1.1 101 ") != 0 || answer_.find(kAccept) > end) {
        throw std::runtime_error("not a handshake's answer: " +
                                 answer_.substr(0, answer_.find('\r')));
    }
    answer_ = std::string();
    stage_ = Stage::open;
    listener_.on_open(*this);
    return end + kHeadEnd.size() - before;
}

void Client::on_head(const FrameHead& head) {
    if (head.masked || (head.opcode == kBinary && (!busy_ || head.length != message_.size()))) {
        throw std::runtime_error("a frame that nobody sent");
    }
    seen_ = 0;
}

void Client::on_payload(const std::uint8_t* data, std::size_t size) {
    if (busy_ && !compared_ && std::memcmp(message_.payload() + seen_, data, size) != 0) {
        throw std::runtime_error("an echo that differs from what was sent");
    }
    seen_ += size;
}

void Client::on_frame_end(const FrameHead& head) {
    if (head.opcode == kBinary) {
        compared_ = true;
        busy_ = false;
        listener_.on_echo(*this);
    } else if (head.opcode == kClose) {
        stage_ = Stage::closed;
        stream_.send_close_notify();
        listener_.on_close(*this);
    }
}

}  // namespace bench
