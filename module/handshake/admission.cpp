// What an operator has paused, and the three limits of a child process, each with its line.
#include "handshake/admission.hpp"

#include <algorithm>

#include "handoff/handover.hpp"
#include "handoff/tunnel_host.hpp"
#include "metrics/pause_table.hpp"
#include "upstream/worker_parameters.hpp"
#include "upstream/worker_state.hpp"

namespace wsp {

int Admission::ask(MonotonicUs deadline) {
    if (services_.pauses != nullptr &&
        services_.pauses->is_paused(labels_.vhost, labels_.backend)) {
        return refusals_.refuse_for_now(RefusalCause::paused);
    }
    if (!has_a_thread_to_keep()) {
        return refusals_.refuse_for_now(
            RefusalCause::blocking_tunnels,
            {apr_psprintf(r_->pool, "%" APR_INT64_T_FMT,
                          services_.tunnels.kept_threads().limits().most)});
    }
    thread_ = services_.threads.take();
    if (!thread_) {
        return refusals_.refuse_for_now(RefusalCause::handshake_threads);
    }
    return wait_for_permit(deadline);
}

// A place under the worker's max=. The worker's acquire= says how long to wait for it.
int Admission::wait_for_permit(MonotonicUs deadline) {
    TunnelPermits& permits = services_.tunnels.tunnel_permits();
    const bool may_wait = has_acquire_timeout(*worker_);
    AcquireFault fault = permits.take(worker_, 0, permit_);
    if (fault == AcquireFault::timed_out && may_wait) {
        const MonotonicUs now = monotonic_now();
        const MonotonicUs until =
            std::min<MonotonicUs>(now + acquire_timeout_of(*worker_), deadline);
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r_,
                      "WSP0134: the backend has as many live tunnels in this child process as max= "
                      "allows; waiting up to %" APR_INT64_T_FMT " ms for one of them to end",
                      milliseconds_of(until - now));
        fault = permits.take(worker_, until, permit_);
    }
    if (fault == AcquireFault::none) {
        return OK;
    }
    if (fault == AcquireFault::shut_down && may_wait) {
        return refusals_.refuse_for_now(RefusalCause::full_and_ending);
    }
    note_full_worker(r_, worker_);
    return refusals_.refuse(may_wait ? RefusalCause::worker_stays_full : RefusalCause::worker_full);
}

// A tunnel that leaves its thread needs no permit.
bool Admission::has_a_thread_to_keep() {
    if (!keeps_thread(r_, config_.async != 0)) {
        return true;
    }
    kept_ = services_.tunnels.kept_threads().take();
    return kept_ != nullptr;
}

}  // namespace wsp
