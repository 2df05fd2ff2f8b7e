// A child process's part in moving tunnels (ProxyWebsocketMigrate). While it serves, it takes over tunnels of children
// that leave. When it leaves itself, it sends its tunnels through the channel as soon as another child can take them:
// one that serves, of the newest generation, with the same version of this module. Until then its tunnels go on here.
//
// Made in child_init, owned by the child process and never destroyed. Any thread, unless a function says otherwise.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "httpd/httpd.hpp"
#include "moving/image_build.hpp"
#include "moving/kept_for_moves.hpp"
#include "net/descriptor_channel.hpp"
#include "tunnel/tunnel_move.hpp"
#include "upstream/worker_directory.hpp"

namespace wsp {

class TunnelMoves final : public TunnelMover {
  public:
    // Null where this child process cannot move tunnels: ProxyWebsocketMigrate Off, a single process (httpd -X), or
    // what prepare_moves() could not make.
    static std::unique_ptr<TunnelMoves> of_child(server_rec* main_server);
    TunnelMoves(const KeptForMoves& kept, const WorkerDirectory& directory);

    int read_fd() const noexcept { return channel_.read_fd(); }
    const WorkerDirectory& directory() const { return directory_; }

    // --- taking over tunnels ------------------------------------------------------------------

    // From now on other children may send. Main thread.
    void begin_serving() noexcept;
    // Nobody should send to this child any more.
    void end_serving() noexcept;
    // False when the child has been told to end, or will be: the MPM has begun to replace its generation.
    bool serves() const noexcept;
    bool leaves() const noexcept { return left_at_.load() != kNever; }
    // Tunnels were sent that nobody has taken over yet. A child that leaves must not end before.
    bool has_unread() const noexcept;
    // The same, and there is no child that would take them over. This one, which leaves, has to.
    bool has_orphans(MonotonicUs now) const noexcept;
    DescriptorChannel::Received receive(WipedBytes& packet, MovedDescriptors& descriptors) noexcept;
    bool wake_another() noexcept { return channel_.nudge(); }

    // --- sending tunnels away -----------------------------------------------------------------

    // The child leaves, and takes over no more tunnels. Returns until when another child may come to take its own. The
    // first call decides.
    MonotonicUs begin_leaving(MonotonicUs now) noexcept;
    // What begin_leaving() has returned; kNever before.
    MonotonicUs waits_until() const noexcept { return waits_until_.load(); }

    // Whether the newest generation has this worker, as far as is known. Counts those that it has not.
    bool keeps(WorkerName worker) noexcept;
    int fd() const noexcept override { return channel_.write_fd(); }
    SendOutcome send(const ImageWriter& image, int client_fd, int backend_fd) noexcept override;

    // "57 of 60 tunnels moved to other child processes within 1210 ms ...": what has become of `all` tunnels so far;
    // `left` of them are still here. Info.
    void log_summary(std::size_t all, std::size_t moved, std::size_t left) const;

  private:
    enum class Others : std::uint8_t { ready, not_yet, migrate_off, other_build };
    Others others(MonotonicUs now) const noexcept;
    bool is_replaced() const noexcept;
    std::string why_not(std::size_t left) const;

    DescriptorChannel channel_;
    ServingPage& page_;
    const WorkerDirectory& directory_;
    const ServingPage::Generation generation_;
    const std::uint64_t build_ = image_build();
    std::atomic<MonotonicUs> left_at_{kNever};
    std::atomic<MonotonicUs> waits_until_{kNever};
    std::atomic<MonotonicUs> last_sent_{0};
    std::atomic<std::size_t> homeless_{0};
};

}  // namespace wsp
