// A connected TCP or Unix socket as a stream. Owns the descriptor; never blocks.
#pragma once

#include "base/image_fields.hpp"
#include "base/unique_fd.hpp"
#include "net/stream.hpp"

namespace wsp {

template <>
inline constexpr bool kStaysBehind<UniqueFd> = true;  // travels beside the image

class SocketStream final : public Stream {
  public:
    // The descriptor is close-on-exec, and a TCP socket has no Nagle delay: httpd sets TCP_NODELAY on each connection
    // (server/core.c core_pre_connection). Makes the socket non-blocking. Nobody else may use its file description and
    // expect it to block.
    explicit SocketStream(UniqueFd fd) noexcept;

    IoResult read_some(std::uint8_t* to, std::size_t room) noexcept override;
    IoResult write_some(const std::uint8_t* from, std::size_t size) noexcept override;
    void shutdown_write() noexcept override;
    int fd() const noexcept override { return fd_.get(); }
    std::uint64_t wire_bytes_read() const noexcept override { return read_; }
    std::uint64_t wire_bytes_written() const noexcept override { return written_; }

    StreamKind movable_kind() const noexcept override { return StreamKind::socket; }
    void write_image(ImageWriter& image) const noexcept override { write_members(image, *this); }
    template <class Self, class Fields>
    static void each_member(Self& self, Fields& fields) {
        WSP_EACH_MEMBER(fields, self, fd_, read_, written_);
    }

  private:
    UniqueFd fd_;
    std::uint64_t read_ = 0;
    std::uint64_t written_ = 0;
};

// Sets what every tunnel needs on a socket and httpd's connections need not have: non-blocking, and keepalive.
void prepare_tunnel_socket(int fd) noexcept;

}  // namespace wsp
