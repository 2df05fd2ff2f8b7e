// The seam between the tunnel and whatever carries its bytes: a socket, TLS over a socket, httpd's
// filters, a script in a test. A stream belongs to one tunnel and is used by the thread that drives
// that tunnel.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wsp {

enum class IoStatus : std::uint8_t {
    ok,           // `size` bytes were moved, at least one
    would_block,  // nothing now; wait for what interest_to_read() or interest_to_write() says
    eof,          // reading only: the peer will send no more
    error,  // the connection is of no further use; `error` has the errno, 0 where there is none
};

struct IoResult {
    IoStatus status = IoStatus::would_block;
    std::size_t size = 0;
    int error = 0;
};

// What to wait for on a descriptor: a set of bits.
using Interest = std::uint8_t;
constexpr Interest kNoInterest = 0;
constexpr Interest kReadable = 1;
constexpr Interest kWritable = 2;

class Stream {
  public:
    virtual ~Stream() = default;

    // Neither blocks, except for streams that say so in their header.
    virtual IoResult read_some(std::uint8_t* to, std::size_t room) noexcept = 0;
    virtual IoResult write_some(const std::uint8_t* from, std::size_t size) noexcept = 0;

    // Tells the peer that no more will come (close_notify where there is TLS, then FIN). Reading
    // goes on.
    virtual void shutdown_write() noexcept = 0;

    // What poll() watches; stays the stream's own.
    virtual int fd() const noexcept = 0;

    // Input that poll() cannot see, since it has left the socket already: do not sleep while this
    // is true.
    virtual bool has_buffered_input() const noexcept { return false; }

    // After shutdown_write() the stream may be given up at once, whatever the peer still sends. Not so over TCP, where bytes that
    // nobody reads become a reset, which can overtake what the peer has still to get.
    virtual bool ends_at_once() const noexcept { return false; }

    // What a read (write) that would block waits for. TLS may need the opposite of the obvious.
    virtual Interest interest_to_read() const noexcept { return kReadable; }
    virtual Interest interest_to_write() const noexcept { return kWritable; }

    // Bytes on the wire so far, TLS records and all, since the stream was made.
    virtual std::uint64_t wire_bytes_read() const noexcept = 0;
    virtual std::uint64_t wire_bytes_written() const noexcept = 0;
};

}  // namespace wsp
