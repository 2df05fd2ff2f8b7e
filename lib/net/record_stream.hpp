// TLS 1.3 records over a socket, without an SSL object: goes on with a session whose handshake OpenSSL has done. An idle
// stream has two traffic states of about a hundred bytes and no buffer.
//
// Owns the descriptor and the keys. Never blocks. Belongs to one loop for its whole life, and is used by that loop's
// thread. Breaks of the rules of TLS are answered with an alert and are an error of the connection (EPROTO).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/held_bytes.hpp"
#include "base/image_fields.hpp"
#include "base/unique_fd.hpp"
#include "net/socket_stream.hpp"
#include "net/stream.hpp"
#include "tls/record_crypto.hpp"
#include "tls/record_reader.hpp"
#include "tls/record_writer.hpp"

namespace wsp {

// What all record streams of one loop share. Owned by the loop, which outlives them; one thread.
struct RecordWorkspace {
    // What is sealed and sent at a time. With four full records a bulk transfer needs few system calls.
    static constexpr std::size_t kMaxBatch = 4;

    RecordCrypto crypto;
    std::array<std::uint8_t, (kMaxBatch + 1) * kMaxRecord> sealed;
    std::array<std::uint8_t, kMaxBatch * kMaxRecord> received;
    // For a read into less room than a record needs.
    std::array<std::uint8_t, kMaxRecordBody> opened;
};

template <>
inline constexpr bool kStaysBehind<RecordWorkspace> = true;

// Bytes on the wire since the connection became a tunnel.
struct WireBytes {
    std::uint64_t read = 0;
    std::uint64_t written = 0;

    template <class Self, class Fields>
    static void each_member(Self& self, Fields& fields) {
        WSP_EACH_MEMBER(fields, self, read_, written_);
    }
};

class RecordStream final : public Stream {
  public:
    // The socket is prepared (net/socket_stream.hpp). `workspace` outlives the stream.
    RecordStream(UniqueFd fd, RecordReader reader, RecordWriter writer, WireBytes so_far,
                 RecordWorkspace& workspace) noexcept;

    // Without keys: an image is read into it.
    RecordStream(UniqueFd fd, RecordWorkspace& workspace) noexcept
        : workspace_(workspace), fd_(std::move(fd)) {}

    IoResult read_some(std::uint8_t* to, std::size_t room) noexcept override;
    // As with SSL_write: after would_block, the next call must begin with the same bytes, since they have been
    // encrypted already. There may be more of them, and they may be elsewhere.
    IoResult write_some(const std::uint8_t* from, std::size_t size) noexcept override;
    void shutdown_write() noexcept override;
    int fd() const noexcept override { return fd_.get(); }
    bool has_buffered_input() const noexcept override { return has_more_; }
    std::uint64_t wire_bytes_read() const noexcept override { return wire_.read; }
    std::uint64_t wire_bytes_written() const noexcept override { return wire_.written; }

    StreamKind movable_kind() const noexcept override { return StreamKind::records; }
    void write_image(ImageWriter& image) const noexcept override { write_members(image, *this); }
    template <class Self, class Fields>
    static void each_member(Self& self, Fields& fields) {
        WSP_EACH_MEMBER(fields, self, workspace_, reader_, writer_, unopened_, opened_, unsent_,
                        plain_unsent_, wire_, fd_, pending_end_, has_more_, can_open_);
    }
    bool is_sound() const noexcept {
        // Of a record that the socket has taken in part, all plain bytes count as not sent.
        return unopened_.size() <= RecordWorkspace::kMaxBatch * kMaxRecord &&
               plain_unsent_ <= RecordWorkspace::kMaxBatch * kMaxRecordPlain &&
               (plain_unsent_ == 0 || !unsent_.empty()) && pending_end_.status != IoStatus::ok;
    }

  private:
    // What a read has to open, in the workspace.
    struct Received {
        std::size_t kept = 0;  // the first of them were in unopened_
        std::size_t size = 0;
    };
    IoResult receive(std::size_t room, Received& input) noexcept;
    IoResult open(std::uint8_t* to, std::size_t room, const Received& input) noexcept;
    IoResult give_opened(std::uint8_t* to, std::size_t room) noexcept;
    void send_alert(Alert alert) noexcept;
    std::size_t update_key() noexcept;
    IoResult send_sealed(std::size_t bytes, std::size_t before, std::size_t plain) noexcept;
    IoResult send_rest() noexcept;
    ssize_t send(const std::uint8_t* data, std::size_t size) noexcept;

    RecordWorkspace& workspace_;
    RecordReader reader_;
    RecordWriter writer_;
    HeldBytes unopened_;  // received, and not opened yet: most often the beginning of a record
    HeldBytes opened_;    // opened, and not given to the caller yet: only with little room
    HeldBytes unsent_;    // sealed, and not taken by the socket yet
    // How many bytes of the caller's are in unsent_.
    std::size_t plain_unsent_ = 0;
    WireBytes wire_;
    UniqueFd fd_;
    // The end or error that TLS has come to. It is returned once the bytes before it are, and from then on.
    IoResult pending_end_;
    // Reading makes sense without waiting for the socket.
    bool has_more_ = false;
    // unopened_ has whole records.
    bool can_open_ = false;
};

}  // namespace wsp
