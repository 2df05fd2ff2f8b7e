// The commands that other threads leave for a loop, and how the loop follows them.
#include <openssl/rand.h>

#include <new>
#include <utility>

#include "tunnel/tunnel_loop.hpp"

namespace wsp {
namespace {

std::uint32_t random_word() {
    std::uint32_t word = 0;
    RAND_bytes(reinterpret_cast<unsigned char*>(&word), sizeof word);
    return word;
}

}  // namespace

// --- any thread -------------------------------------------------------------------------------

bool TunnelLoop::put_into_inbox(std::unique_ptr<Tunnel>& tunnel, OpeningTunnel opening) noexcept {
    try {
        inbox_.push_back({nullptr, std::move(opening)});
    } catch (const std::bad_alloc&) {
        return false;
    }
    inbox_.back().tunnel = std::move(tunnel);
    // Counted before the loop can take the tunnel: it may end, and be counted as ended, at once.
    adopted_count_.fetch_add(1);
    return true;
}

void TunnelLoop::close_all(const ClosePlan& plan) noexcept {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!requested_plan_ || plan.abort_at < requested_plan_->abort_at) {
            requested_plan_ = plan;
        }
    }
    wake();
}

void TunnelLoop::check_groups() noexcept {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        group_check_requested_ = true;
    }
    wake();
}

// --- the loop's thread ------------------------------------------------------------------------

void TunnelLoop::process_inbox(MonotonicUs now) noexcept {
    std::vector<Arriving> arrived;
    bool new_plan = false;
    bool groups = false;
    bool no_more = false;
    std::optional<MovePlan> moves;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        arrived.swap(inbox_);
        new_plan = requested_plan_ && (!plan_ || requested_plan_->abort_at < plan_->abort_at);
        plan_ = requested_plan_;
        groups = std::exchange(group_check_requested_, false);
        moves = requested_moves_;
        no_more = no_more_requested_;
    }
    if (plan_) {
        stop_moving();
    } else if (moves && !moving_) {
        start_moving(*moves, now);
    }
    if (plan_ || moving_ || no_more) {
        leave_source(now);
    }
    if (new_plan) {
        // Backwards, because the last tunnel takes the place of one that is done.
        for (std::size_t i = tunnels_.size(); i-- > 0;) {
            follow_plan(*tunnels_[i], *plan_, now);
        }
    }
    for (std::size_t i = groups ? tunnels_.size() : 0; i-- > 0;) {  // backwards, as above
        check_group(*tunnels_[i], now);
    }
    for (Arriving& each : arrived) {
        take_in(std::move(each.tunnel), Arrival::fresh, now);
    }
    if (is_asked() && !answering_) {
        begin_answering();
    }
}

// Ends the tunnel now, or sets the moment at which it ends.
void TunnelLoop::follow_plan(Tunnel& tunnel, const ClosePlan& plan, MonotonicUs now) noexcept {
    if (plan.last <= now) {
        tunnel.end(plan.reason, now);
    } else {
        tunnel.end_at(plan.moment(random(), now), plan.reason);
    }
    after_work(tunnel, now);
}

std::uint32_t TunnelLoop::random() noexcept {
    if (!random_) {
        random_.emplace(random_word());
    }
    return static_cast<std::uint32_t>(((*random_)() << 16) ^ (*random_)());
}

void TunnelLoop::check_group(Tunnel& tunnel, MonotonicUs now) noexcept {
    if (tunnel.group().is_drained()) {
        follow_plan(tunnel, tunnel.group().plan(), now);
    }
}

void TunnelLoop::abort_all(MonotonicUs now) noexcept {
    while (!tunnels_.empty()) {
        tunnels_.back()->abort(plan_->reason);
        retire(*tunnels_.back(), now);
    }
    retired_.clear();
}

}  // namespace wsp
