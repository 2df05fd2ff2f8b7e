// Takes over tunnels that other child processes have sent: finds their virtual host and worker in this process's
// configuration, and counts them in. Owned by the child process; the threads of all pumps use it at once.
#pragma once

#include <atomic>

#include "moving/tunnel_moves.hpp"
#include "tunnel/tunnel_move.hpp"

namespace wsp {

class MemberWatch;
class SharedPolicies;
class Statistics;
class TunnelHost;
class WorkerPoolMap;

class TunnelReceiver final : public TunnelSource {
  public:
    // All of them live as long as the process.
    TunnelReceiver(TunnelMoves& moves, TunnelHost& tunnels, WorkerPoolMap& pools,
                   MemberWatch& members, SharedPolicies& policies, Statistics& statistics)
        : moves_(moves),
          tunnels_(tunnels),
          pools_(pools),
          members_(members),
          policies_(policies),
          statistics_(statistics) {}

    int fd() const noexcept override { return moves_.read_fd(); }
    // A tunnel that this process has no worker for is taken over all the same: it ends as if its child drained. One for
    // which memory is missing is cut, and a line of the error log says so. Without descriptors to spare this process
    // takes over no more tunnels; they are left to others.
    Got receive(std::unique_ptr<Tunnel>& to, RecordWorkspace* workspace,
                MonotonicUs now) noexcept override;
    bool has_orphans(MonotonicUs now) const noexcept override { return moves_.has_orphans(now); }
    bool wake_another() noexcept override { return moves_.wake_another(); }

  private:
    class Restorer;
    bool has_descriptors();
    Got make_tunnel(std::unique_ptr<Tunnel>& to, const WipedBytes& packet,
                    MovedDescriptors descriptors, RecordWorkspace* workspace, MonotonicUs now);

    std::atomic<bool> told_no_descriptors_{false};
    TunnelMoves& moves_;
    TunnelHost& tunnels_;
    WorkerPoolMap& pools_;
    MemberWatch& members_;
    SharedPolicies& policies_;
    Statistics& statistics_;
};

}  // namespace wsp
