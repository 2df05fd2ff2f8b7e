// The three limits of a child process, each with its line.
#include "handshake/admission.hpp"

#include <algorithm>

#include "handoff/handover.hpp"
#include "upstream/retry_after.hpp"
#include "upstream/worker_parameters.hpp"
#include "upstream/worker_state.hpp"

namespace wsp {

int Admission::ask(MonotonicUs deadline) {
    if (!has_a_thread_to_keep()) {
        note_full_worker(r_, worker_);
        set_retry_soon(r_);
        return refusals_.refuse(
            HTTP_SERVICE_UNAVAILABLE, "WSP0132",
            apr_psprintf(r_->pool,
                         "%" APR_INT64_T_FMT
                         " tunnels keep their threads in this child process, as many as "
                         "ProxyWebsocketMaxBlockingTunnels allows",
                         services_.tunnels.kept_threads().limits().most),
            "turn H2WebSockets off, or find what else keeps threads (WSP0110)");
    }
    if (!thread_.take(services_.threads)) {
        note_full_worker(r_, worker_);
        set_retry_soon(r_);
        return refusals_.refuse(
            HTTP_SERVICE_UNAVAILABLE, "WSP0123",
            "as many threads of this child process are in handshakes as "
            "ProxyWebsocketHandshakeThreads allows",
            "look at the backends, of which one is slow to answer, or raise the number");
    }
    return wait_for_permit(deadline);
}

// A place under the worker's max=. acquire= of the worker is how long to wait for one.
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
    note_full_worker(r_, worker_);
    if (fault == AcquireFault::shut_down && may_wait) {
        set_retry_soon(r_);
        return refusals_.refuse(
            HTTP_SERVICE_UNAVAILABLE, "WSP0138",
            "this child process is ending, and has as many live tunnels to the backend "
            "as max= allows");
    }
    return refusals_.refuse(
        HTTP_SERVICE_UNAVAILABLE, "WSP0122",
        may_wait ? "the backend has as many live tunnels in this child process as max= "
                   "allows, and none of them has ended within acquire="
                 : "the backend has as many live tunnels in this child process as max= "
                   "allows",
        "raise max=, or add members");
}

// What leaves its thread needs none.
bool Admission::has_a_thread_to_keep() {
    return !keeps_thread(r_, config_.async != 0) || kept_.take(services_.tunnels.kept_threads());
}

}  // namespace wsp
