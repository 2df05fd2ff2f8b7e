// A WebSocket client on the loop: connects, shakes hands, echoes one message at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "byte_stream.hpp"
#include "event_loop.hpp"
#include "websocket.hpp"

namespace bench {

using Clock = std::chrono::steady_clock;

struct Target {
    int port = 0;
    SSL_CTX* tls = nullptr;  // null: ws
};

// A message ready to be sent: header and payload in one piece.
class Message {
  public:
    explicit Message(std::size_t size);
    const std::string& frame() const { return frame_; }
    const char* payload() const { return frame_.data() + (frame_.size() - size_); }
    std::size_t size() const { return size_; }

  private:
    std::size_t size_;
    std::string frame_;
};

class Client : public Handler {
  public:
    class Listener {
      public:
        virtual void on_open(Client& client) = 0;   // the 101 is here
        virtual void on_echo(Client& client) = 0;   // the message is back, as long as it was
        virtual void on_close(Client& client) = 0;  // the Close is answered; nothing more will come

      protected:
        ~Listener() = default;
    };

    // Begins to connect. Loop, message and listener must outlive the client. Whatever goes wrong
    // later throws out of EventLoop::turn(): a measurement with a broken connection in it is none.
    Client(EventLoop& loop, const Target& target, const Message& message, Listener& listener);

    // One at a time. The first echo is compared byte for byte, later ones by their length.
    void send_message();
    void send_close();
    // An echo is awaited.
    bool busy() const { return busy_; }

    void on_event(std::uint32_t events) override;

    // For the listener, which alone changes them.
    Clock::time_point since = Clock::now();  // when what it waits for began
    int echoes = 0;

    // --- FrameReader's listener ---
    void on_head(const FrameHead& head);
    void on_payload(const std::uint8_t* data, std::size_t size);
    void on_frame_end(const FrameHead& head);

  private:
    enum class Stage {
        connecting,  // TCP and TLS
        upgrading,   // the request is out, or on its way
        open,
        closed,  // the Close is answered
    };

    bool connected();
    void send(const std::string& bytes);
    void flush();
    void read_all(bool to_the_end);
    void take(const std::uint8_t* data, std::size_t size);
    std::size_t take_answer(const std::uint8_t* data, std::size_t size);

    ByteStream stream_;
    Target target_;
    const Message& message_;
    Listener& listener_;
    FrameReader frames_;
    Stage stage_ = Stage::connecting;
    std::string small_;                     // the request, or a Close
    const std::string* sending_ = nullptr;  // small_ or the message
    std::size_t sent_ = 0;
    std::string answer_;
    std::size_t seen_ = 0;  // bytes of the echo
    bool compared_ = false;
    bool busy_ = false;
};

}  // namespace bench
