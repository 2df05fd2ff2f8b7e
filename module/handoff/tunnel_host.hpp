// What a child process has for its open tunnels: the pumps, the list of all loops, the socket that stands in for
// connections that have left, the writer of log lines, and the tunnels that keep their threads. It also ends all
// tunnels.
//
// Made before the child has other threads; the child owns it and never destroys it, since threads that do not end in
// time go on using it. The threads of pumps and log writer are made when the first tunnel needs them. Only where
// tunnels may come from other child processes (ProxyWebsocketMigrate), pumps run from the beginning.
//
// Threads: any, unless a function says otherwise. One mutex guards the making of threads.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/unique_fd.hpp"
#include "base/wake_fd.hpp"
#include "config/config.h"
#include "handoff/kept_threads.hpp"
#include "handoff/spare_sockets.hpp"
#include "httpd/httpd.hpp"
#include "httpd/stop_fds.hpp"
#include "log/access_log_writer.hpp"
#include "net/tls_detach.hpp"
#include "tunnel/loop_list.hpp"
#include "tunnel/pump.hpp"
#include "tunnel/survey_respondent.hpp"
#include "upstream/tunnel_permits.hpp"

namespace wsp {

class BlockingPump;
class TunnelMoves;
class TunnelSource;

class TunnelHost {
  public:
    // `config`: resolved. `of_server`: where pumps count how long they work. `survey`: null where nobody
    // can ask tunnels.
    TunnelHost(const wsp_server_config& config, SeriesCounters of_server, SurveyPage* survey);

    // child_init, main thread, at most once: from now on pumps run, and take over what `source` brings. When the child
    // leaves, `moves` sends its tunnels away. Both live as long as the process.
    void begin_receiving(TunnelMoves& moves, TunnelSource& source);
    // Null where tunnels do not move.
    TunnelMoves* moves() const { return moves_; }
    // A tunnel has come from another child process: whether this child takes it. If not, it asks for no more.
    bool may_receive(MonotonicUs now);
    // From now on this child takes over no tunnels of others. Any thread.
    void stop_receiving();

    // A pump that runs. Null when the system refuses a thread or memory, or the child stops: the tunnel must then keep
    // its request thread.
    Pump* pump();
    // What TLS streams are made with. Only where pump() has given one.
    SSL_CTX* neutral_tls() const { return neutral_tls_.get(); }
    AccessLogWriter& log_writer() { return log_writer_; }
    // Loops that are listed here get the commands that all tunnels get.
    LoopList& loops() { return loops_; }
    // Makes a loop that will be listed answer surveys. Before it is listed.
    void have_answer(BlockingPump& loop);
    // The last question that the tunnels of this server were asked. A handshake notes it when it begins.
    SurveyPage::Number last_question() const {
        return survey_ ? survey_->page().number() : SurveyPage::Number{0};
    }
    // Before a tunnel's 101 is sent: whoever asks tunnels waits until a loop has it. The child has pumps from then on,
    // because they are what hears questions.
    OpeningTunnel announce_tunnel();
    KeptThreads& kept_threads() { return kept_threads_; }
    SpareSockets& spare_sockets() { return spare_sockets_; }
    TunnelPermits& tunnel_permits() { return tunnel_permits_; }
    // Takes the place of a socket that has left httpd (dup3): reads as "nothing yet", writes fail with EPIPE.
    int idle_fd() const { return idle_.get(); }
    StopFds stop_fds() const { return {drain_.fd(), stop_.fd()}; }
    // Ends all tunnels at once when it is woken, from a signal handler too.
    const WakeFd& stop_wake() const { return stop_; }

    // Ends all tunnels: gracefully, over ProxyWebsocketDrainTimeout, or at once. May be called more than once; the
    // first graceful call fixes the plan.
    void stop(bool graceful);
    // At once, where the MPM has closed the sockets of busy threads before: waits, about a second at most, until the
    // tunnels that keep their threads have said Close.
    void stop_at_once();
    // True once stop() has been called.
    bool is_stopping() const { return stopping_.load(); }
    // When the first graceful stop() was called; kNever: not yet.
    MonotonicUs draining_since() const { return draining_since_.load(); }
    // How tunnels end when the child drains, those that do not move.
    ClosePlan drain_plan(MonotonicUs now);

    // The child's main thread, after stop(): waits until all pumps have ended, for at most `patience`. May be called
    // again until it has returned true.
    bool join(DurationUs patience);
    struct Counts {
        // Tunnels of pumps when stop() was called first, and those that came later. A tunnel that was sent to another
        // child process and taken back counts once.
        std::size_t at_stop;
        std::size_t left;
        std::size_t moved;  // to other child processes
    };
    Counts counts() const;

  private:
    struct ListedPump {
        Pump pump;
        std::optional<LoopList::Entry> entry;  // before it starts: it may receive tunnels at once
    };
    using Pumps = std::vector<std::unique_ptr<ListedPump>>;

    // Without a descriptor where the system has none left.
    static WakeFd opened() noexcept;
    // Makes the threads for the child's first tunnel. False: the child stops, or they did not start.
    bool has_threads();
    bool start_threads();
    bool has_pumps();
    Pumps start_pumps();
    bool start(ListedPump& listed);
    std::size_t sum_over_pumps(std::size_t (Pump::*count)() const noexcept) const;

    std::mutex mutex_;
    const SeriesCounters of_server_;
    const std::int64_t pump_threads_;
    const DurationUs drain_timeout_;
    const DurationUs drain_spread_;
    LoopList loops_;
    std::optional<SurveyRespondent> survey_;
    TunnelMoves* moves_ = nullptr;
    TunnelSource* source_ = nullptr;
    Pumps pumps_;
    std::size_t joined_ = 0;  // pumps; the main thread's
    UniqueSslCtx neutral_tls_;
    AccessLogWriter log_writer_;
    WakeFd drain_ = opened();  // woken once: readable from then on
    WakeFd stop_ = opened();
    KeptThreads kept_threads_;
    SpareSockets spare_sockets_;
    TunnelPermits tunnel_permits_;
    UniqueFd idle_;
    UniqueFd idle_peer_;
    std::atomic<MonotonicUs> draining_since_{kNever};
    std::atomic<unsigned> next_pump_{0};
    std::atomic<bool> stopping_{false};
    std::size_t ended_before_stop_ = 0;      // tunnels; the main thread's
    std::size_t received_before_stop_ = 0;   // the same
    std::atomic<bool> threads_made_{false};  // all of them; neutral_tls_ changes no more
};

}  // namespace wsp
