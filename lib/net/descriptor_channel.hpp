// Carries images of tunnels, each with the descriptors of its two connections, from one process to another: one pair of
// connected Unix sockets that keeps the boundaries of packets. Any number of processes may write to one end and read
// from the other; each packet reaches one of them, whole. The kernel bounds what is under way: the packets by the send
// buffer, and their descriptors by RLIMIT_NOFILE (unix(7), ETOOMANYREFS).
//
// Never blocks. Any thread; nothing here is changed after open().
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/image.hpp"
#include "base/unique_fd.hpp"

namespace wsp {

// The connections of a tunnel on its way.
struct MovedDescriptors {
    UniqueFd client;
    UniqueFd backend;
};

// What became of an image that was to be sent. Only after `sent` does it have another owner.
enum class SendOutcome : std::uint8_t {
    sent,
    full,        // try again when the descriptor is writable
    not_now,     // try again later: too many descriptors are under way, or the system has no memory
    impossible,  // this image can never be sent
};

class DescriptorChannel {
  public:
    // Images larger than this are refused, in both directions.
    static constexpr std::size_t kMaxImage = 256 * 1024 * 1024;

    DescriptorChannel() noexcept = default;
    // Ends that were made by open() before, perhaps in a process that was this one's parent.
    DescriptorChannel(UniqueFd write_end, UniqueFd read_end) noexcept;

    // Makes the pair, close-on-exec. Returns false with errno when the system has no descriptors left.
    [[nodiscard]] bool open() noexcept;
    bool valid() const noexcept { return write_.valid() && read_.valid(); }
    // Writable when there is room, and readable when there is a packet. The channel keeps its ownership.
    int write_fd() const noexcept { return write_.get(); }
    int read_fd() const noexcept { return read_.get(); }

    // Sends one image. The receiver gets its own copies of the descriptors; the caller closes its own when it likes.
    SendOutcome send(const ImageWriter& image, int client_fd, int backend_fd) const noexcept;
    // Sends a packet without content, which wakes a reader. Returns false when there is no room.
    bool nudge() const noexcept;

    enum class Received : std::uint8_t {
        image,
        nothing,  // there is no packet
        nudge,    // there may be more packets
        refused,  // a packet was odd, or a descriptor or memory was missing: its connections are closed
    };
    // Takes one packet. Only after `image` are `image` and `descriptors` filled.
    Received receive(WipedBytes& image, MovedDescriptors& descriptors) const noexcept;

  private:
    UniqueFd write_;
    UniqueFd read_;
};

}  // namespace wsp
