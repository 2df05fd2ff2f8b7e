// The blocking pump between filter streams, and what the log and the request learn of the tunnel's end.
#include "handoff/blocking_tunnel.hpp"

#include <memory>
#include <utility>

#include "handoff/filter_stream.hpp"
#include "handoff/held_signals.hpp"
#include "handoff/tunnel_host.hpp"
#include "httpd/boundary.hpp"
#include "log/log_transaction.hpp"
#include "log/tunnel_log.hpp"
#include "tunnel/blocking_pump.hpp"
#include "upstream/worker_load.hpp"

namespace wsp {
namespace {

class NotesObserver final : public TunnelObserver {
  public:
    NotesObserver(request_rec& r, proxy_worker* worker, const TunnelIdentity& identity,
                  const TunnelLog& log, TunnelCount count)
        : r_(r), worker_(worker), identity_(identity), log_(log), count_(std::move(count)) {}
    void on_traffic(const Traffic& more) noexcept override {
        add_traffic(worker_, more.backend_read, more.backend_written);
        count_.note_traffic(more);
    }
    void on_pong(DurationUs round_trip) noexcept override { count_.note_pong(round_trip); }
    void on_survey(std::uint64_t held) noexcept override { count_.note_held(held); }
    void on_end(const TunnelReport& report) noexcept override {
        count_.note_end(report);
        guarded_or(0, [&] {
            // A log format or condition may read the notes of the request before an internal redirect.
            for (request_rec* each = &r_; each != nullptr; each = each->prev) {
                set_tunnel_notes(each->pool, each->notes, report, identity_, TunnelMode::blocking);
            }
            log_end_of_tunnel(as_error_log_shows(&r_), end_line_of(log_, report.reason), identity_,
                              report);
            return 0;
        });
    }

    void describe(TunnelDescription& to) const noexcept override {
        describe_tunnel(identity_, to);
        count_.describe(to);
    }

  private:
    request_rec& r_;
    proxy_worker* worker_;
    TunnelIdentity identity_;
    TunnelLog log_;
    TunnelCount count_;
};

// ProxyWebsocketSendTimeout limits how long a blocking write waits.
void limit_blocking_writes(conn_rec* c, DurationUs send_timeout) {
    apr_socket_t* const socket = c->master == nullptr ? ap_get_conn_socket(c) : nullptr;
    if (socket != nullptr) {
        apr_socket_timeout_set(socket, send_timeout > 0 ? send_timeout : -1);
    }
}

}  // namespace

void pump_on_this_thread(OpenTunnel& tunnel, TunnelHost& tunnels) {
    HeldSignals signals(tunnels);
    const DurationUs send_timeout = tunnel.terms.policy->send_timeout;
    limit_blocking_writes(tunnel.r->connection, send_timeout);
    limit_blocking_writes(tunnel.backend.record()->connection, send_timeout);
    const SpareSockets::Hold reachable(tunnels.spare_sockets(), tunnel.r->connection);
    TunnelParts parts;
    parts.client = std::make_unique<FilterStream>(tunnel.r->connection);
    parts.backend = std::make_unique<FilterStream>(tunnel.backend.record()->connection);
    parts.terms = tunnel.terms;
    parts.observer = std::make_unique<NotesObserver>(
        *tunnel.r, tunnel.backend.worker(), tunnel.identity, tunnel.log(), std::move(tunnel.count));
    BlockingPump pump(tunnels.stop_fds().stop, &signals);
    tunnels.have_answer(pump);
    const LoopList::Entry listed(tunnels.loops(), pump);
    pump.run(std::make_unique<Tunnel>(std::move(parts)), std::move(tunnel.opening));
    tunnel.backend.record()->connection->keepalive = AP_CONN_CLOSE;
    if (signals.process_will_die()) {
        log_request_now(tunnel.r);
    }
}

}  // namespace wsp
