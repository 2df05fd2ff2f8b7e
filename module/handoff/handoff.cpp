// Builds the tunnel out of what a handoff holds and hands it to the pump.
#include "handoff/handoff.hpp"

#include <utility>

#include "base/blocked_signals.hpp"
#include "base/signal_safe_lock.hpp"
#include "handoff/tunnel_host.hpp"
#include "httpd/boundary.hpp"
#include "log/log_context.hpp"
#include "log/tunnel_log.hpp"
#include "net/socket_stream.hpp"
#include "protocol/close_code.hpp"
#include "upstream/worker_load.hpp"

namespace wsp {
namespace {

// Hears of the tunnel's end on the pump's thread and passes on to the access log writer what must be written.
class PumpedTunnelObserver final : public TunnelObserver {
  public:
    PumpedTunnelObserver(AccessLogWriter& log_writer, TunnelContext context)
        : access_log_writer_(log_writer),
          log_(std::move(context.log)),
          worker_(context.worker),
          load_(worker_),
          permit_(std::move(context.permit)) {}
    // A tunnel that could not be made has its lines all the same.
    ~PumpedTunnelObserver() override {
        if (!has_ended_) {
            on_end(never_begun());
        }
    }
    static TunnelReport never_begun() noexcept {
        TunnelReport report;
        report.reason = EndReason::out_of_memory;
        report.close_code = kCloseAbnormal;
        return report;
    }

    void on_traffic(std::uint64_t read, std::uint64_t written) noexcept override {
        add_traffic(worker_, read, written);
    }
    void on_end(const TunnelReport& report) noexcept override {
        has_ended_ = true;
        log_context_of(log_.log().server).served_bytes.note(report);
        access_log_writer_.write(std::move(log_), report);
    }

  private:
    bool has_ended_ = false;
    AccessLogWriter& access_log_writer_;
    LogRecord log_;
    proxy_worker* worker_;
    WorkerLoad load_;
    TunnelPermit permit_;
};

std::unique_ptr<Stream> stream_over(TakenConnection& taken, SSL_CTX* neutral_tls) {
    if (taken.ssl) {
        return std::make_unique<TlsStream>(std::move(taken.ssl), std::move(taken.fd), neutral_tls,
                                           std::move(taken.secrets));
    }
    return std::make_unique<SocketStream>(std::move(taken.fd));
}

}  // namespace

Handoff::Handoff(TakenConnection client, TakenConnection backend, TunnelTerms terms,
                 TunnelContext context, TunnelHost& tunnels, Pump& pump)
    : client_(std::move(client)),
      backend_(std::move(backend)),
      terms_(std::move(terms)),
      context_(std::move(context)),
      tunnels_(tunnels),
      pump_(pump) {}

Handoff::~Handoff() {
    auto observer = guarded_or(std::unique_ptr<TunnelObserver>(), [this] {
        return std::make_unique<PumpedTunnelObserver>(tunnels_.log_writer(), std::move(context_));
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
    if (!pump_.adopt(tunnel)) {
        // The child is stopping and its pump takes no more, or there is no room in the inbox.
        tunnel->abort(tunnels_.is_stopping() ? EndReason::shutdown : EndReason::out_of_memory);
        tunnel->finish_report(monotonic_now());
    }
}

}  // namespace wsp
