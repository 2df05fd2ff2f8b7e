// Builds the tunnel out of what a departure holds and hands it to the pump.
#include "departure.hpp"

#include <utility>

#include "base/blocked_signals.hpp"
#include "boundary.hpp"
#include "net/socket_stream.hpp"
#include "protocol/close_code.hpp"
#include "served_bytes.hpp"
#include "tunnel_log.hpp"
#include "worker_load.hpp"

namespace wsp {
namespace {

// Hears of the tunnel's end on the pump's thread and passes on to the scribe what must be written.
class PumpedTunnelObserver final : public TunnelObserver {
  public:
    PumpedTunnelObserver(Scribe& scribe, Attendants attendants)
        : scribe_(scribe),
          log_(std::move(attendants.log)),
          worker_(attendants.worker),
          load_(worker_),
          slot_(std::move(attendants.slot)) {}
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
        note_served_bytes(report);
        scribe_.write(std::move(log_), report);
    }

  private:
    bool has_ended_ = false;
    Scribe& scribe_;
    LogRecord log_;
    proxy_worker* worker_;
    WorkerLoad load_;
    TunnelSlot slot_;
};

std::unique_ptr<Stream> stream_over(TakenConnection& taken, SSL_CTX* neutral_tls) {
    if (taken.ssl) {
        return std::make_unique<TlsStream>(std::move(taken.ssl), std::move(taken.fd), neutral_tls);
    }
    return std::make_unique<SocketStream>(std::move(taken.fd));
}

}  // namespace

Departure::Departure(TakenConnection client, TakenConnection backend, TunnelTerms terms,
                     Attendants attendants, const TunnelHost& host)
    : client_(std::move(client)),
      backend_(std::move(backend)),
      terms_(std::move(terms)),
      attendants_(std::move(attendants)),
      host_(host) {}

Departure::~Departure() {
    auto observer = guarded_or(std::unique_ptr<TunnelObserver>(), [this] {
        return std::make_unique<PumpedTunnelObserver>(host_.scribe, std::move(attendants_));
    });
    if (observer == nullptr) {  // and the log record has not been moved
        host_.scribe.write(std::move(attendants_.log), PumpedTunnelObserver::never_begun());
        return;
    }
    guarded_or(0, [&] {
        send_off(std::move(observer));
        return 0;
    });
}

void Departure::send_off(std::unique_ptr<TunnelObserver> observer) {
    // Read by httpd: no stream will count it.
    add_traffic(attendants_.worker, backend_.early.size(), 0);
    TunnelParts parts;
    parts.observer = std::move(observer);
    parts.early_from_client = std::move(client_.early);
    parts.early_from_backend = std::move(backend_.early);
    parts.client = stream_over(client_, host_.neutral_tls);
    parts.backend = stream_over(backend_, host_.neutral_tls);
    parts.terms = terms_;
    auto tunnel = std::make_unique<Tunnel>(std::move(parts));
    const BlockedSignals blocked;
    if (!host_.pump.adopt(tunnel)) {
        // The child is stopping and its pump takes no more, or there is no room in the inbox.
        tunnel->cut(host_.stopping.load() ? EndReason::shutdown : EndReason::out_of_memory);
        tunnel->finish_report(monotonic_now());
    }
}

}  // namespace wsp
