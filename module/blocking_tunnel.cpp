// The blocking pump in httpd: filter streams, the log, and what happens when the child is told to end meanwhile.
#include "blocking_tunnel.hpp"

#include <pthread.h>
#ifdef __linux__
#include <sys/signalfd.h>
#endif

#include <csignal>
#include <initializer_list>
#include <memory>
#include <optional>
#include <utility>

#include "access_log.hpp"
#include "boundary.hpp"
#include "child.hpp"
#include "filter_stream.hpp"
#include "tunnel/blocking_pump.hpp"
#include "tunnel_log.hpp"
#include "worker_load.hpp"

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

// What tells the blocking pump that its child is to end. prefork does so by signals whose handlers
// end the process on the spot (prefork.c just_die) or wait for the request to end (stop_listening):
// here they are held off until the tunnel has ended, and seen through a descriptor meanwhile.
class StopWatch {
  public:
    StopWatch() {
        int threaded = AP_MPMQ_NOT_SUPPORTED;
        ap_mpm_query(AP_MPMQ_IS_THREADED, &threaded);
        if (threaded != AP_MPMQ_NOT_SUPPORTED) {
            return;
        }
        const sigset_t stop = set_of({SIGTERM, SIGHUP});
        const sigset_t drain = set_of({AP_SIG_GRACEFUL});
        const sigset_t both = set_of({SIGTERM, SIGHUP, AP_SIG_GRACEFUL});
        pthread_sigmask(SIG_BLOCK, &both, &before_);
        blocked_ = true;
        // A graceful stop that came before, while the backend was being asked, has left only this.
        int state = AP_MPMQ_RUNNING;
        ap_mpm_query(AP_MPMQ_MPM_STATE, &state);
        draining_already_ = state == AP_MPMQ_STOPPING;
#ifdef __linux__
        stop_.reset(::signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK));
        drain_.reset(::signalfd(-1, &drain, SFD_CLOEXEC | SFD_NONBLOCK));
#endif
    }
    ~StopWatch() {
        if (blocked_) {
            pthread_sigmask(SIG_SETMASK, &before_, nullptr);
        }
    }
    StopWatch(const StopWatch&) = delete;
    StopWatch& operator=(const StopWatch&) = delete;

    // A signal waits that will end the process as soon as it is let through.
    bool process_will_die() const {
        sigset_t waiting;
        sigemptyset(&waiting);
        sigpending(&waiting);
        return blocked_ &&
               (sigismember(&waiting, SIGTERM) == 1 || sigismember(&waiting, SIGHUP) == 1);
    }
    StopSignals signals() const {
        const Child& child = Child::current();
        StopSignals signals;
        signals.stop_fd = blocked_ ? stop_.get() : child.stop_fd();
        signals.drain_fd = blocked_ ? drain_.get() : child.drain_fd();
        signals.drain_plan = [](MonotonicUs now) { return Child::current().drain_plan(now); };
        if (blocked_) {
            // The child hears of it when this tunnel has ended; its pumped ones are not to wait,
            // nor are those who want to listen where httpd did.
            signals.drain_plan = [](MonotonicUs now) {
                let_through(AP_SIG_GRACEFUL);
                Child::current().stop_tunnels(true);
                return Child::current().drain_plan(now);
            };
        }
        if (draining_already_) {
            Child::current().stop_tunnels(true);
            signals.drain_fd = child.drain_fd();  // readable from that on
        }
        return signals;
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

    // Runs the handler of a signal that was held off: stop_listening() closes httpd's listening
    // sockets and notes that the child ends after this request.
    static void let_through(int signal) {
        const sigset_t set = set_of({signal});
        pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
        pthread_sigmask(SIG_BLOCK, &set, nullptr);
    }

    UniqueFd stop_;
    UniqueFd drain_;
    sigset_t before_{};
    bool blocked_ = false;
    bool draining_already_ = false;
};

// The member that the tunnel leads to, where it is to end with it.
class MemberGroup final : public GroupWatch {
  public:
    explicit MemberGroup(MemberWatch::Tie tie) : tie_(tie) {}
    bool ended(ClosePlan& plan) noexcept override {
        const bool cut = tie_.is_cut();
        if (cut) {
            plan = tie_.plan();
        }
        return cut;
    }

  private:
    MemberWatch::Tie tie_;
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
    const StopWatch stop;
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
    Tunnel pumped(std::move(parts));
    StopSignals signals = stop.signals();
    std::optional<MemberGroup> group;
    if (tunnel.member) {
        signals.group = &group.emplace(tunnel.member);
    }
    run_blocking(pumped, signals);
    tunnel.backend.record()->connection->keepalive = AP_CONN_CLOSE;
    if (stop.process_will_die()) {
        log_request_now(tunnel.r);
    }
}

}  // namespace wsp
