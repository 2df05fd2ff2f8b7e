// The interface between a tunnel and what carries its bytes: a socket, TLS over a socket, httpd's filters, or a script
// in a test. A stream belongs to one tunnel and is used by the thread that drives the tunnel.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/image_fields.hpp"

namespace wsp {

struct RecordWorkspace;

enum class IoStatus : std::uint8_t {
    ok,           // `size` bytes were read or written, at least one
    would_block,  // nothing was possible; wait for interest_to_read() or interest_to_write()
    eof,          // only when reading: the peer sends no more
    // The connection cannot be used any more. `error` has the errno, 0 when there is none.
    error,
};

constexpr IoStatus last_of(IoStatus) noexcept {  // base/image.hpp
    return IoStatus::error;
}

struct IoResult {
    IoStatus status = IoStatus::would_block;
    std::size_t size = 0;
    int error = 0;

    template <class Self, class Fields>
    static void each_member(Self& self, Fields& fields) {
        WSP_EACH_MEMBER(fields, self, status_, size_, error_);
    }
};

constexpr IoResult kNoMemory{IoStatus::error, 0, ENOMEM};

// What to wait for on a descriptor, as a set of bits.
using Interest = std::uint8_t;
constexpr Interest kNoInterest = 0;
constexpr Interest kReadable = 1;
constexpr Interest kWritable = 2;

// Whether a stream can be handed to another process, and as what (net/moved_stream.hpp).
enum class StreamKind : std::uint8_t {
    none,  // it cannot; its successor may be able to
    socket,
    records,
};
constexpr StreamKind last_of(StreamKind) {  // base/image.hpp
    return StreamKind::records;
}

class ImageWriter;

class Stream {
  public:
    virtual ~Stream() = default;

    // These two do not block, except in streams whose header says so.
    virtual IoResult read_some(std::uint8_t* to, std::size_t room) noexcept = 0;
    virtual IoResult write_some(const std::uint8_t* from, std::size_t size) noexcept = 0;

    // Tells the peer that nothing more follows: close_notify with TLS, then FIN. Reading is still possible.
    virtual void shutdown_write() noexcept = 0;

    // The descriptor to poll. The stream keeps its ownership.
    virtual int fd() const noexcept = 0;

    // True when there is input that poll() cannot see, because it has been read from the socket already. While this is
    // true the caller must not sleep.
    virtual bool has_buffered_input() const noexcept { return false; }

    // True when the stream may be closed right after shutdown_write(), whatever the peer still sends. Over TCP it may
    // not: unread bytes cause a reset, and the reset can overtake bytes that the peer has not received yet.
    virtual bool ends_at_once() const noexcept { return false; }

    // What to wait for when a read, or a write, would block. With TLS a read may have to wait for writing, and a write
    // for reading.
    virtual Interest interest_to_read() const noexcept { return kReadable; }
    virtual Interest interest_to_write() const noexcept { return kWritable; }

    // TLS only. A stream may be replaced by one that costs less, at a moment when nothing is under way in it. Returns the
    // successor, which goes on with the connection; this stream is then of no use any more. Null: not now. `workspace`
    // is the loop's and outlives the successor.
    virtual std::unique_ptr<Stream> successor(RecordWorkspace& workspace) noexcept {
        static_cast<void>(workspace);
        return nullptr;
    }
    // Whether successor() may return one, now or later.
    virtual bool awaits_successor() const noexcept { return false; }

    // Bytes on the wire since the stream was made, with TLS overhead. A successor counts on.
    virtual std::uint64_t wire_bytes_read() const noexcept = 0;
    virtual std::uint64_t wire_bytes_written() const noexcept = 0;

    virtual StreamKind movable_kind() const noexcept { return StreamKind::none; }
    // Writes everything but the descriptor. Called only when movable_kind() names a kind. Afterwards either nothing has
    // happened, because the image was not sent, or the stream is destroyed and nothing else.
    virtual void write_image(ImageWriter&) const noexcept {}
};

}  // namespace wsp
