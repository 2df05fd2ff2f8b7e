// The blocking pump in httpd: filter streams, the log, and what happens when the child is told to end meanwhile.
#include "handoff/blocking_tunnel.hpp"

#include <pthread.h>
#ifdef __linux__
#include <sys/signalfd.h>
#endif

#include <algorithm>
#include <csignal>
#include <initializer_list>
#include <memory>
#include <utility>

#include "child/child.hpp"
#include "handoff/filter_stream.hpp"
#include "httpd/boundary.hpp"
#include "httpd/mpm_query.hpp"
#include "log/access_log.hpp"
#include "log/tunnel_log.hpp"
#include "tunnel/blocking_pump.hpp"
#include "upstream/worker_load.hpp"

namespace wsp {
namespace {

class NotesObserver final : public TunnelObserver {
  public:
    NotesObserver(request_rec* r, proxy_worker* worker, const char* backend_url,
                  const TunnelLog& log)
        : r_(r), worker_(worker), backend_url_(backend_url), log_(log) {}
    void on_traffic(std::uint64_t read, std::uint64_t written) noexcept override {
        add_traffic(worker_, read, written);
    }
    void on_end(const TunnelReport& report) noexcept override {
        guarded_or(0, [&] {
            // A format or a condition may ask the request that it was redirected from.
            for (request_rec* each = r_; each != nullptr; each = each->prev) {
                set_tunnel_notes(each->pool, each->notes, report);
            }
            const std::string about = name_of_tunnel(*r_, backend_url_);
            log_end_of_tunnel(log_, about.c_str(), report);
            return 0;
        });
    }

  private:
    request_rec* r_;
    proxy_worker* worker_;
    const char* backend_url_;
    TunnelLog log_;
};

// prefork tells its child to end by signals whose handlers end the process on the spot (prefork.c just_die) or wait for the
// request to end (stop_listening): here they are held off until the tunnel has ended, seen through a descriptor meanwhile,
// and turned into what child_stopping tells a child elsewhere.
class HeldSignals final : public Alarm {
  public:
    HeldSignals() {
        if (is_threaded_mpm()) {
            return;
        }
        const sigset_t held = set_of({SIGTERM, SIGHUP, AP_SIG_GRACEFUL});
        pthread_sigmask(SIG_BLOCK, &held, &before_);
        holds_ = true;
#ifdef __linux__
        seen_.reset(::signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK));
#endif
        // A graceful stop that came before, while the backend was being asked, has left only this.
        int state = AP_MPMQ_RUNNING;
        ap_mpm_query(AP_MPMQ_MPM_STATE, &state);
        if (state == AP_MPMQ_STOPPING) {
            Child::current().stop_tunnels(true);
        }
    }
    ~HeldSignals() override {
        if (holds_) {
            pthread_sigmask(SIG_SETMASK, &before_, nullptr);
        }
    }
    HeldSignals(const HeldSignals&) = delete;
    HeldSignals& operator=(const HeldSignals&) = delete;

    int fd() const noexcept override {
        return seen_.get();
    }
    void heed() noexcept override {
        if (waits({AP_SIG_GRACEFUL})) {
            // Those who want to listen where httpd did are not to wait.
            let_through(AP_SIG_GRACEFUL);
            guarded_or(0, [] { return Child::current().stop_tunnels(true), 0; });
        }
        if (process_will_die()) {
            seen_.reset();  // stays readable
            guarded_or(0, [] { return Child::current().stop_tunnels(false), 0; });
        }
    }
    // A signal waits that will end the process as soon as it is let through.
    bool process_will_die() const {
        return waits({SIGTERM, SIGHUP});
    }

  private:
    static sigset_t set_of(std::initializer_list<int> signals) {
        sigset_t set;
        sigemptyset(&set);
        for (const int signal : signals) {
            sigaddset(&set, signal);
        }
        return set;
    }
    bool waits(std::initializer_list<int> signals) const {
        sigset_t waiting;
        sigemptyset(&waiting);
        sigpending(&waiting);
        return holds_ && std::any_of(signals.begin(), signals.end(), [&waiting](int signal) {
                   return sigismember(&waiting, signal) == 1;
               });
    }
    // Runs the handler of a signal that was held off: stop_listening() closes httpd's listening
    // sockets and notes that the child ends after this request.
    static void let_through(int signal) {
        const sigset_t set = set_of({signal});
        pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
        pthread_sigmask(SIG_BLOCK, &set, nullptr);
    }

    UniqueFd seen_;
    sigset_t before_{};
    bool holds_ = false;
};

// A blocking write waits for as long as ProxyWebsocketSendTimeout lets a sink take nothing.
void limit_blocking_writes(conn_rec* c, DurationUs send_timeout) {
    apr_socket_t* const socket = c->master == nullptr ? ap_get_conn_socket(c) : nullptr;
    if (socket != nullptr) {
        apr_socket_timeout_set(socket, send_timeout > 0 ? send_timeout : -1);
    }
}

}  // namespace

void pump_on_this_thread(OpenTunnel& tunnel) {
    HeldSignals signals;
    const DurationUs send_timeout = tunnel.terms.policy->send_timeout;
    limit_blocking_writes(tunnel.r->connection, send_timeout);
    limit_blocking_writes(tunnel.backend.record()->connection, send_timeout);
    const SpareSockets::Hold reachable(Child::current().spare_sockets(), tunnel.r->connection);
    TunnelParts parts;
    parts.client = std::make_unique<FilterStream>(tunnel.r->connection);
    parts.backend = std::make_unique<FilterStream>(tunnel.backend.record()->connection);
    parts.terms = tunnel.terms;
    parts.observer = std::make_unique<NotesObserver>(tunnel.r, tunnel.backend.worker(),
                                                     tunnel.backend_url, tunnel.log());
    BlockingPump pump(Child::current().stop_fd(), &signals);
    const LoopList::Entry listed(Child::current().loops(), pump);
    pump.run(std::make_unique<Tunnel>(std::move(parts)));
    tunnel.backend.record()->connection->keepalive = AP_CONN_CLOSE;
    if (signals.process_will_die()) {
        log_request_now(tunnel.r);
    }
}

}  // namespace wsp
