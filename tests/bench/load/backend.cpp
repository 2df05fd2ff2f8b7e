// One thread, one loop. Payloads go back as they came, still masked: proxies do not look inside,
// and the client compares with what it sent.
#include "backend.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "byte_stream.hpp"
#include "event_loop.hpp"
#include "websocket.hpp"

namespace bench {
namespace {

std::vector<std::uint8_t>& scratch() {
    static std::vector<std::uint8_t> bytes(256 * 1024);
    return bytes;
}

class Conversation;
using Conversations = std::unordered_map<int, std::unique_ptr<Conversation>>;

// A connection from a proxy. Lives in `all` under its descriptor and removes itself when it is
// over.
class Conversation : public Handler {
  public:
    Conversation(int fd, Conversations& all) : stream_(fd, nullptr), all_(all) {}

    void on_event(std::uint32_t events) override {
        const bool readable = (events & ~std::uint32_t{EPOLLOUT}) != 0;
        // An edge is told once: with the peer's end behind the bytes, read on until it shows.
        const bool to_the_end = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        if ((readable && !read_all(to_the_end)) || !flush()) {
            all_.erase(stream_.fd());  // destroys this
        }
    }

    // --- FrameReader's listener ---
    void on_head(const FrameHead& head) { out_ += frame_head(head.opcode, false, head.length); }
    void on_payload(const std::uint8_t* data, std::size_t size) {
        out_.append(reinterpret_cast<const char*>(data), size);
    }
    void on_frame_end(const FrameHead& head) {
        whole_ = out_.size();
        closing_ = closing_ || head.opcode == kClose;
    }

  private:
    // False: the peer has ended.
    bool read_all(bool to_the_end) {
        for (;;) {
            const Moved got = stream_.read(scratch().data(), scratch().size());
            if (got.ended) {
                return false;
            }
            take(scratch().data(), got.size);
            if (got.size == 0 || (got.size < scratch().size() && !to_the_end)) {
                return true;
            }
        }
    }

    void take(const std::uint8_t* data, std::size_t size) {
        if (upgraded_) {
            frames_.feed(data, size, *this);
            return;
        }
        request_.append(reinterpret_cast<const char*>(data), size);
        const std::size_t end = request_.find(kHeadEnd);
        if (end == std::string::npos) {
            return;
        }
        if (request_.find(kKey) > end) {
            throw std::runtime_error("a handshake without the key that the client sent");
        }
        upgraded_ = true;
        out_ = handshake_answer();
        whole_ = out_.size();
        const std::string early = request_.substr(end + kHeadEnd.size());
        request_ = std::string();
        frames_.feed(reinterpret_cast<const std::uint8_t*>(early.data()), early.size(), *this);
    }

    // False: all is said, the Close too.
    bool flush() {
        while (sent_ < whole_) {
            const Moved put = stream_.write(out_.data() + sent_, whole_ - sent_);
            if (put.size == 0) {
                return !put.ended;
            }
            sent_ += put.size;
        }
        if (sent_ == out_.size()) {
            out_.clear();
            sent_ = whole_ = 0;
        }
        return !closing_;  // RFC 6455 7.1.1: the server ends TCP first
    }

    ByteStream stream_;
    Conversations& all_;
    FrameReader frames_;
    std::string request_;
    std::string out_;
    std::size_t whole_ = 0;  // out_ up to here is whole messages, and may go
    std::size_t sent_ = 0;
    bool upgraded_ = false;
    bool closing_ = false;
};

class Listening : public Handler {
  public:
    Listening(EventLoop& loop, Conversations& all)
        : loop_(loop),
          all_(all),
          fd_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        if (::bind(fd_, generic, size) != 0 || ::listen(fd_, 1024) != 0 ||
            ::getsockname(fd_, generic, &size) != 0) {
            throw std::runtime_error("cannot listen on loopback");
        }
        port_ = ntohs(address.sin_port);
        loop_.watch(fd_, *this, EPOLLIN);
    }
    ~Listening() { ::close(fd_); }
    Listening(const Listening&) = delete;
    Listening& operator=(const Listening&) = delete;

    void on_event(std::uint32_t) override {
        const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            auto& conversation = all_[fd];
            conversation = std::make_unique<Conversation>(fd, all_);
            loop_.watch(fd, *conversation);
        }
    }
    int port() const { return port_; }

  private:
    EventLoop& loop_;
    Conversations& all_;
    int fd_;
    int port_ = 0;
};

class StandardInput : public Handler {
  public:
    void on_event(std::uint32_t) override {
        char ignored[64];
        ended = ::read(STDIN_FILENO, ignored, sizeof ignored) <= 0;
    }
    bool ended = false;
};

}  // namespace

void run_backend(int ports) {
    EventLoop loop;
    Conversations all;
    std::vector<std::unique_ptr<Listening>> doors;
    std::string said = "ready";
    for (int i = 0; i < ports; ++i) {
        doors.push_back(std::make_unique<Listening>(loop, all));
        said += " " + std::to_string(doors.back()->port());
    }
    StandardInput input;
    loop.watch(STDIN_FILENO, input, EPOLLIN);
    std::puts(said.c_str());
    std::fflush(stdout);
    while (!input.ended) {
        loop.turn(-1);
    }
}

}  // namespace bench
