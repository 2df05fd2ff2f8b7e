// Builds the tunnel out of what a handoff holds and hands it to the pump.
#include "handoff/handoff.hpp"

#include <utility>

#include "base/blocked_signals.hpp"
#include "base/signal_safe_lock.hpp"
#include "handoff/pumped_tunnel_observer.hpp"
#include "handoff/tunnel_host.hpp"
#include "httpd/boundary.hpp"
#include "net/socket_stream.hpp"
#include "upstream/worker_load.hpp"

namespace wsp {
namespace {

std::unique_ptr<Stream> stream_over(TakenConnection& taken, SSL_CTX* neutral_tls) {
    if (taken.ssl) {
        return std::make_unique<TlsStream>(std::move(taken.ssl), std::move(taken.fd), neutral_tls,
                                           std::move(taken.secrets));
    }
    return std::make_unique<SocketStream>(std::move(taken.fd));
}

}  // namespace

Handoff::Handoff(TakenConnection client, TakenConnection backend, TunnelTerms terms,
                 TunnelContext context, OpeningTunnel opening, TunnelHost& tunnels, Pump& pump)
    : client_(std::move(client)),
      backend_(std::move(backend)),
      terms_(std::move(terms)),
      context_(std::move(context)),
      opening_(std::move(opening)),
      tunnels_(tunnels),
      pump_(pump) {}

Handoff::~Handoff() {
    context_.count.note_early(client_.early.size());
    auto observer = guarded_or(std::unique_ptr<TunnelObserver>(), [this] {
        return std::make_unique<PumpedTunnelObserver>(tunnels_, std::move(context_));
    });
    if (observer == nullptr) {  // and the log record has not been moved
        tunnels_.log_writer().write(std::move(context_.log), PumpedTunnelObserver::never_begun());
        return;
    }
    guarded_or(0, [&] {
        send_off(std::move(observer));
        return 0;
    });
}

void Handoff::send_off(std::unique_ptr<TunnelObserver> observer) {
    // Read by httpd: no stream will count it.
    add_traffic(context_.worker, backend_.early.size(), 0);
    TunnelParts parts;
    parts.observer = std::move(observer);
    parts.early_from_client = std::move(client_.early);
    parts.early_from_backend = std::move(backend_.early);
    parts.client = stream_over(client_, tunnels_.neutral_tls());
    parts.backend = stream_over(backend_, tunnels_.neutral_tls());
    parts.terms = terms_;
    auto tunnel = std::make_unique<Tunnel>(std::move(parts));
    const BlockedSignals blocked(SignalSafeLock::blocks_signals());
    if (!pump_.adopt(tunnel, std::move(opening_))) {
        // The child is stopping and its pump takes no more, or there is no room in the inbox.
        tunnel->abort(tunnels_.is_stopping() ? EndReason::shutdown : EndReason::out_of_memory);
        tunnel->finish_report(monotonic_now());
    }
}

}  // namespace wsp
