// Counts, log lines, and the module's part of a tunnel's image.
#include "handoff/pumped_tunnel_observer.hpp"

#include <utility>

#include "base/image.hpp"
#include "handoff/tunnel_host.hpp"
#include "log/log_context.hpp"
#include "moving/tunnel_moves.hpp"
#include "protocol/close_code.hpp"

namespace wsp {

PumpedTunnelObserver::PumpedTunnelObserver(TunnelHost& tunnels, TunnelContext context)
    : tunnels_(tunnels),
      log_(std::move(context.log)),
      worker_(context.worker),
      load_(worker_),
      permit_(std::move(context.permit)),
      count_(std::move(context.count)),
      follows_member_(context.follows_member) {}

PumpedTunnelObserver::~PumpedTunnelObserver() {
    if (!is_over_) {
        on_end(never_begun());
    }
}

TunnelReport PumpedTunnelObserver::never_begun() noexcept {
    TunnelReport report;
    report.reason = EndReason::out_of_memory;
    report.close_code = kCloseAbnormal;
    return report;
}

void PumpedTunnelObserver::on_traffic(const Traffic& more) noexcept {
    if (worker_ != nullptr) {
        add_traffic(worker_, more.backend_read, more.backend_written);
    }
    count_.note_traffic(more);
}

void PumpedTunnelObserver::on_end(const TunnelReport& report) noexcept {
    is_over_ = true;
    count_.note_end(report);
    log_context_of(log_.log().server).served_bytes.note(report);
    tunnels_.log_writer().write(std::move(log_), report);
}

void PumpedTunnelObserver::describe(TunnelDescription& to) const noexcept {
    describe_tunnel(log_.identity(), to);
    count_.describe(to);
}

void PumpedTunnelObserver::on_moved() noexcept {
    is_over_ = true;
    count_.note_left();
}

bool PumpedTunnelObserver::write_image(ImageWriter& to) const noexcept {
    TunnelMoves* const moves = tunnels_.moves();
    if (moves == nullptr || worker_ == nullptr) {
        return false;
    }
    const WorkerName name = moves->directory().name_of(log_.log().server, worker_);
    if (!moves->keeps(name)) {
        return false;
    }
    to.put(name);
    to.put(log_.log().level);
    to.put(follows_member_);
    to.put(count_.series().counters.id());
    to.put_bytes(log_.block());
    return true;
}

}  // namespace wsp
