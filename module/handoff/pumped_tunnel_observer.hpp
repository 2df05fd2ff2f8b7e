// What the module keeps for a tunnel of a pump while it lives, beside what lib knows of it, and what it does when the
// tunnel has ended or has moved to another child process.
#pragma once

#include "log/log_record.hpp"
#include "statistics/tunnel_count.hpp"
#include "tunnel/report.hpp"
#include "upstream/tunnel_permits.hpp"
#include "upstream/worker_load.hpp"

namespace wsp {

class TunnelHost;

struct TunnelContext {
    // What the log lines about the tunnel need of the request.
    LogRecord log;
    // That is busy with the tunnel. Null: this child's configuration has no such worker.
    proxy_worker* worker;
    TunnelPermit permit;
    TunnelCount count;
    // Subscribes to what becomes of the worker (ProxyWebsocketOnMemberDown).
    bool follows_member;
};

// Owned by its tunnel, on its pump's thread. `tunnels` outlives it.
class PumpedTunnelObserver final : public TunnelObserver {
  public:
    PumpedTunnelObserver(TunnelHost& tunnels, TunnelContext context);
    // A tunnel that could not be made has its lines all the same.
    ~PumpedTunnelObserver() override;
    static TunnelReport never_begun() noexcept;

    void on_traffic(const Traffic& more) noexcept override;
    void on_pong(DurationUs round_trip) noexcept override { count_.note_pong(round_trip); }
    void on_survey(std::uint64_t held) noexcept override { count_.note_held(held); }
    // Passes on to the access log writer what must be written.
    void on_end(const TunnelReport& report) noexcept override;
    void describe(TunnelDescription& to) const noexcept override;
    // False when no child process of the newest generation has the tunnel's worker. TunnelReceiver reads it.
    bool write_image(ImageWriter& to) const noexcept override;
    // No log line here: there is one where the tunnel ends.
    void on_moved() noexcept override;

  private:
    TunnelHost& tunnels_;
    LogRecord log_;
    proxy_worker* worker_;
    WorkerLoad load_;
    TunnelPermit permit_;
    TunnelCount count_;
    bool follows_member_;
    bool is_over_ = false;
};

}  // namespace wsp
