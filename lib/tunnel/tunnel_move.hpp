// What a loop needs to hand its live tunnels to another process, and to take in those of others. The loop decides when;
// who stands behind these interfaces knows the way between the processes.
//
// A tunnel is in one place only. Until TunnelMover::send() has returned `sent`, it lives in its old loop, which goes on
// pumping it. From then on the old loop says no word to its peers: it closes its descriptors, without FIN or
// close_notify.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "base/clock.hpp"
#include "base/image.hpp"
#include "base/side.hpp"
#include "net/descriptor_channel.hpp"
#include "net/moved_stream.hpp"
#include "tunnel/close_plan.hpp"
#include "tunnel/policy.hpp"
#include "tunnel/report.hpp"
#include "tunnel/tunnel_group.hpp"

namespace wsp {

class Tunnel;

// Sends tunnels away. Used by several loops at once.
class TunnelMover {
  public:
    virtual ~TunnelMover() = default;
    // Is not writable after SendOutcome::full, and becomes writable when there is room again. The caller does not own
    // it. May be called by any thread, and must always be the same.
    virtual int fd() const noexcept = 0;
    // Called on the loop's thread; must not block. After `not_now` the loop tries again kMoveRetry later. After
    // `impossible` this tunnel follows the fallback plan.
    virtual SendOutcome send(const ImageWriter& image, int client_fd, int backend_fd) noexcept = 0;
};

constexpr DurationUs kMoveRetry = 10 * kMillisecond;

// Values, and a mover that outlives the loop.
struct MovePlan {
    TunnelMover* via = nullptr;
    // Tunnels that are still here by then follow the fallback plan. So do, at once, tunnels that can never move.
    MonotonicUs give_up_at = 0;
    ClosePlan fallback;
};

// Brings the tunnels that other processes have sent. Used by several loops at once, and outlives them.
class TunnelSource {
  public:
    virtual ~TunnelSource() = default;
    // Readable when a tunnel has come. The caller does not own it. May be called by any thread, and must always be the
    // same.
    virtual int fd() const noexcept = 0;
    enum class Got : std::uint8_t { tunnel, nothing, skipped };  // skipped: ask again
    // Takes one tunnel, made with Tunnel::from_image(). Called on the loop's thread, which takes it in; must not block.
    // `workspace` belongs to that loop, and the tunnel's streams may keep it; null: such streams cannot be taken in.
    virtual Got receive(std::unique_ptr<Tunnel>& to, RecordWorkspace* workspace,
                        MonotonicUs now) noexcept = 0;
    // Whether tunnels were sent that no other process will take in, so that nobody pumps them. Loops that move their
    // tunnels away ask every kMoveRetry, and take them back.
    virtual bool has_orphans(MonotonicUs now) const noexcept {
        static_cast<void>(now);
        return false;
    }
    // Wakes another reader: this one does not read any more, and may have been the only one that was woken. Returns
    // false when there is no room for that; the loop then takes one tunnel more and calls again.
    virtual bool wake_another() noexcept = 0;
};

// What a moved tunnel gets anew in its new process.
struct TunnelOwners {
    std::unique_ptr<TunnelObserver> observer;  // may be null
    std::shared_ptr<const Policy> policy;
    TunnelGroup::Subscription group{};
};

class TunnelRestorer {
  public:
    virtual ~TunnelRestorer() = default;
    // Reads what TunnelObserver::write_image() has written, or nothing when there was no observer. `policy` has the
    // numbers of the tunnel's own policy. Returns false when this process cannot take the tunnel; it is then cut
    // without a report, so this function logs why. Must not throw.
    virtual bool restore(ImageReader& observer, const Policy& policy,
                         TunnelOwners& to) noexcept = 0;
    // Makes the stream of one side (net/moved_stream.hpp), for whoever has streams of other kinds.
    virtual std::unique_ptr<Stream> stream(Side side, ImageReader& image, UniqueFd fd,
                                           RecordWorkspace* workspace) noexcept {
        static_cast<void>(side);
        return read_stream(image, std::move(fd), workspace);
    }
};

}  // namespace wsp
