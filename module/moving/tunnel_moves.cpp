// Decides when tunnels may be sent.
#include "moving/tunnel_moves.hpp"

#include <poll.h>
#include <unistd.h>

#include <string>

#include "base/image.hpp"
#include "config/config.h"
#include "httpd/mpm_query.hpp"

namespace wsp {
namespace {

// How long a child that leaves waits for one that takes its tunnels. When httpd restarts, the next generation is there
// when the configuration has been read, and a second later (server_main_loop in event.c and worker.c, prefork.c
// prefork_run: as long as no child of the old generation ends, new ones are made after a second).
constexpr DurationUs kRestartPatience = 10 * kSecond;
// The same when its generation goes on: another child serves already, or is made within a second or two. With a
// graceful stop nobody comes.
constexpr DurationUs kSiblingPatience = 3 * kSecond;
// httpd tells its children one by one that it stops gracefully. Before that a child may seem to serve that is about to
// leave too.
constexpr DurationUs kSiblingDelay = 500 * kMillisecond;

bool is_readable(int fd) {
    pollfd asked{fd, POLLIN, 0};
    return ::poll(&asked, 1, 0) > 0;
}

ServingPage::Generation running_generation() {
    return ap_get_scoreboard_global()->running_generation;
}

}  // namespace

std::unique_ptr<TunnelMoves> TunnelMoves::of_child(server_rec* main_server) {
    const KeptForMoves* const kept = kept_for_moves(main_server);
    const auto* const config = static_cast<const wsp_server_config*>(
        ap_get_module_config(main_server->module_config, &proxy_websocket_module));
    if (kept == nullptr || config->worker_directory == nullptr ||
        ap_exists_config_define("DEBUG") || ap_exists_config_define("ONE_PROCESS")) {
        return nullptr;
    }
    return std::make_unique<TunnelMoves>(
        *kept, *static_cast<const WorkerDirectory*>(config->worker_directory));
}

TunnelMoves::TunnelMoves(const KeptForMoves& kept, const WorkerDirectory& directory)
    : channel_(UniqueFd(kept.write_fd), UniqueFd(kept.read_fd)),
      page_(*kept.page),
      directory_(directory),
      generation_(mpm_setting(AP_MPMQ_GENERATION)) {}

bool TunnelMoves::is_replaced() const noexcept {
    return running_generation() != generation_;
}

void TunnelMoves::begin_serving() noexcept {
    page_.begin_serving(::getpid(), generation_);
}

void TunnelMoves::end_serving() noexcept {
    page_.end_serving(::getpid());
}

bool TunnelMoves::serves() const noexcept {
    // Prefork ends its child after the request that it is busy with (prefork.c stop_listening).
    return !leaves() && !is_replaced() && mpm_setting(AP_MPMQ_MPM_STATE) != AP_MPMQ_STOPPING;
}

MonotonicUs TunnelMoves::begin_leaving(MonotonicUs now) noexcept {
    MonotonicUs since = kNever;
    if (left_at_.compare_exchange_strong(since, now)) {
        waits_until_.store(now + (is_replaced() ? kRestartPatience : kSiblingPatience));
        end_serving();
    }
    return waits_until_.load();
}

bool TunnelMoves::has_unread() const noexcept {
    return page_.is_any_under_way() && is_readable(channel_.read_fd());
}

bool TunnelMoves::has_orphans(MonotonicUs now) const noexcept {
    return leaves() && page_.is_any_under_way() && others(now) != Others::ready && has_unread();
}

DescriptorChannel::Received TunnelMoves::receive(WipedBytes& packet,
                                                 MovedDescriptors& descriptors) noexcept {
    const DescriptorChannel::Received got = channel_.receive(packet, descriptors);
    if (got == DescriptorChannel::Received::image || got == DescriptorChannel::Received::refused) {
        page_.note_received();
    }
    return got;
}

TunnelMoves::Others TunnelMoves::others(MonotonicUs now) const noexcept {
    const ServingPage::Generation running = running_generation();
    const std::uint64_t build = page_.build_of(running);
    if (build == ServingPage::kUnknown) {
        return Others::not_yet;
    }
    if (build == 0) {
        return Others::migrate_off;
    }
    if (build != build_) {
        return Others::other_build;
    }
    if (running == generation_ && now < left_at_.load() + kSiblingDelay) {
        return Others::not_yet;
    }
    return page_.is_served(running) ? Others::ready : Others::not_yet;
}

bool TunnelMoves::keeps(WorkerName worker) noexcept {
    const ServingPage::Generation running = running_generation();
    if (page_.build_of(running) != build_ || page_.has(worker) ||
        page_.build_of(running) != build_) {
        return true;
    }
    homeless_.fetch_add(1);
    return false;
}

SendOutcome TunnelMoves::send(const ImageWriter& image, int client_fd, int backend_fd) noexcept {
    const MonotonicUs now = monotonic_now();
    const Others ready = others(now);
    if (ready != Others::ready) {
        return ready == Others::not_yet ? SendOutcome::not_now : SendOutcome::impossible;
    }
    ImageWriter packet;
    packet.put(build_);
    packet.put_bytes(image.data(), image.size());
    if (!packet.ok()) {
        return SendOutcome::not_now;  // without memory
    }
    page_.note_sent(1);  // first: it may be received at once
    const SendOutcome outcome = channel_.send(packet, client_fd, backend_fd);
    if (outcome == SendOutcome::sent) {
        last_sent_.store(now);
    } else {
        page_.note_sent(-1);
    }
    return outcome;
}

std::string TunnelMoves::why_not(std::size_t left) const {
    switch (others(monotonic_now())) {
        case Others::ready:
            break;
        case Others::not_yet:
            return left > 0 ? "; no other child process has come in time" : "";
        case Others::migrate_off:
            return "; ProxyWebsocketMigrate is Off in the new configuration";
        case Others::other_build:
            return "; the new child processes have another version of this module";
    }
    const std::size_t homeless = homeless_.load();
    return homeless > 0
               ? "; " + std::to_string(homeless) + " belong to no mapping of the new configuration"
               : "";
}

void TunnelMoves::log_summary(std::size_t all, std::size_t moved, std::size_t left) const {
    const MonotonicUs last = moved > 0 ? last_sent_.load() - left_at_.load() : 0;
    ap_log_error(APLOG_MARK, APLOG_INFO, 0, ap_server_conf,
                 "WSP0170: %" APR_SIZE_T_FMT " of %" APR_SIZE_T_FMT
                 " tunnels moved to other child processes within %" APR_INT64_T_FMT
                 " ms, %" APR_SIZE_T_FMT " are left%s",
                 moved, all, milliseconds_of(last), left, moved < all ? why_not(left).c_str() : "");
}

}  // namespace wsp
