// Whether a handshake may turn to its backend: what a child process has room for. Held until the tunnel has ended, or the
// handshake has failed.
#pragma once

#include <utility>

#include "config/config.h"
#include "handoff/kept_threads.hpp"
#include "handshake/handshake_permit.hpp"
#include "handshake/handshake_refusals.hpp"
#include "handshake/services.hpp"
#include "httpd/httpd.hpp"
#include "upstream/tunnel_permits.hpp"

namespace wsp {

// One handshake's permits. Request thread.
class Admission {
  public:
    // All of these outlive it. `config`: resolved.
    Admission(request_rec* r, proxy_worker* worker, const wsp_dir_config& config,
              const Refusals& refusals, const HandshakeServices& services)
        : r_(r), worker_(worker), config_(config), refusals_(refusals), services_(services) {}

    // OK, or the status of a refusal that has been logged. Blocks for as long as acquire= lets it wait for a place under
    // max=, and never beyond the deadline.
    int ask(MonotonicUs deadline);

    // The answer is there: other handshakes may have the thread's place.
    void leave_handshake() { thread_.leave(); }
    // What the tunnel holds from here on.
    KeptThreads::Permit take_kept_thread() { return std::move(kept_); }
    TunnelPermit take_permit() { return std::move(permit_); }

  private:
    int wait_for_permit(MonotonicUs deadline);
    bool has_a_thread_to_keep();

    request_rec* r_;
    proxy_worker* worker_;
    const wsp_dir_config& config_;
    const Refusals& refusals_;
    const HandshakeServices& services_;
    TunnelPermit permit_;
    KeptThreads::Permit kept_;
    HandshakePermit thread_;
};

}  // namespace wsp
