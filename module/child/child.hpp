// What lives as long as one child process of httpd. Made in child_init, on the main thread, before the process has
// other threads. Only hooks.cpp asks for the process's one Child; everybody else is handed the part that they need.
#pragma once

#include <memory>
#include <optional>

#include "config/config.h"
#include "handoff/tunnel_host.hpp"
#include "handoff/tunnel_receiver.hpp"
#include "handshake/handshake_threads.hpp"
#include "handshake/services.hpp"
#include "httpd/httpd.hpp"
#include "statistics/statistics.hpp"
#include "status/live_status.hpp"
#include "survey/survey.hpp"
#include "surveying/tunnels_on_channel.hpp"
#include "tunnel/shared_policies.hpp"
#include "upstream/member_watch.hpp"
#include "upstream/worker_pool_map.hpp"

namespace wsp {

class Child {
  public:
    // child_init: makes the one Child of this process and ties its end to `pchild`.
    static void make(apr_pool_t* pchild, server_rec* server);
    // Null before make(), and for ever where there was no memory for it.
    static Child* current();

    explicit Child(server_rec* main_server);

    // Any thread; what is in it lives as long as the process.
    const HandshakeServices& handshake_services() const { return services_; }
    KeptThreads& kept_threads() { return tunnels_.kept_threads(); }
    StatusSource& status() { return status_; }
    // Asks the tunnels of all child processes; for request threads.
    Survey& survey() { return survey_; }

    // child_stopping: ends all tunnels, within ProxyWebsocketDrainTimeout or at once. `graceful` is the hook's, and
    // this must be called from within that hook.
    void end_tunnels(bool graceful);

  private:
    Child(server_rec* main_server, const wsp_server_config& config);
    void end_gracefully();
    // pchild's cleanup: waits for the end of all tunnels, a bounded time.
    void wait_for_tunnels();
    void join_pumps(bool draining, MonotonicUs until);
    bool is_moving(MonotonicUs now) const;
    void log_moves_once();
    // The last lines about what was not said one by one.
    void log_left_out();

    // Null where tunnels do not move to other child processes.
    const std::unique_ptr<TunnelMoves> moves_;
    Statistics statistics_;
    TunnelHost tunnels_;
    WorkerPoolMap pools_;
    MemberWatch members_;
    SharedPolicies policies_;
    HandshakeThreads handshake_threads_;
    TunnelsOnChannel on_channel_;
    Survey survey_;
    bool moves_logged_ = false;
    const HandshakeServices services_;
    std::optional<TunnelReceiver> receiver_;
    LiveStatus status_{survey_, statistics_};
};

}  // namespace wsp
