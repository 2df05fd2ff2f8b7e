// Whether new tunnels are wanted, and a child process has room for one more handshake and its tunnel. The permits are
// held until the tunnel has ended or the handshake has failed.
#pragma once

#include <utility>

#include "config/config.h"
#include "handoff/kept_threads.hpp"
#include "handshake/handshake_refusals.hpp"
#include "handshake/handshake_threads.hpp"
#include "handshake/services.hpp"
#include "httpd/httpd.hpp"
#include "metrics/statistics_page.hpp"
#include "upstream/tunnel_permits.hpp"

namespace wsp {

// One handshake's permits. Request thread.
class Admission {
  public:
    // All of these outlive it. `config`: resolved. `labels`: of the virtual host and backend, in the statistics.
    Admission(request_rec* r, proxy_worker* worker, const wsp_dir_config& config,
              const StatisticsPage::Labels& labels, const Refusals& refusals,
              const HandshakeServices& services)
        : r_(r),
          worker_(worker),
          config_(config),
          labels_(labels),
          refusals_(refusals),
          services_(services) {}

    // OK, or the status of a refusal, which is then logged. Waits for a place under max= for as long as acquire= says,
    // and never beyond the deadline.
    int ask(MonotonicUs deadline);

    // The backend has answered: another handshake may have the place under ProxyWebsocketHandshakeThreads.
    void leave_handshake() { thread_.reset(); }
    // The tunnel holds these from here on.
    KeptThreads::Permit take_kept_thread() { return std::move(kept_); }
    TunnelPermit take_permit() { return std::move(permit_); }

  private:
    int wait_for_permit(MonotonicUs deadline);
    bool has_a_thread_to_keep();

    request_rec* r_;
    proxy_worker* worker_;
    const wsp_dir_config& config_;
    const StatisticsPage::Labels& labels_;
    const Refusals& refusals_;
    const HandshakeServices& services_;
    TunnelPermit permit_;
    KeptThreads::Permit kept_;
    HandshakeThreads::Permit thread_;
};

}  // namespace wsp
