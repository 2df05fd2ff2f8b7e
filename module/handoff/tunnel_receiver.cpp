// What arrives through the channel becomes a tunnel.
#include "handoff/tunnel_receiver.hpp"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "base/image.hpp"
#include "handoff/pumped_tunnel_observer.hpp"
#include "handoff/tunnel_host.hpp"
#include "httpd/boundary.hpp"
#include "httpd/limited_log.hpp"
#include "tunnel/shared_policies.hpp"
#include "tunnel/tunnel.hpp"
#include "upstream/member_watch.hpp"
#include "upstream/worker_pool_map.hpp"

namespace wsp {
namespace {

void log_lost(const char* why) {
    const LogRateLimit::Verdict verdict = gates_of_child().of("WSP0172").allow(monotonic_now());
    if (verdict.allowed) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, ap_server_conf,
                     "WSP0172: a tunnel from another child process is lost: %s%s", why,
                     text_about_limit(verdict).c_str());
    }
}

}  // namespace

// For one tunnel.
class TunnelReceiver::Restorer final : public TunnelRestorer {
  public:
    explicit Restorer(TunnelReceiver& receiver) : all_(receiver) {}

    bool restore(ImageReader& image, const Policy& policy, TunnelOwners& to) noexcept override {
        return guarded_or(false, [&] {
            WorkerName name = 0;
            int level = 0;
            bool follows_member = false;
            image.take(name);
            image.take(level);
            image.take(follows_member);
            SeriesCounters::Id series = 0;
            image.take(series);
            const std::string_view block = image.take_bytes();
            if (!image.ok()) {
                return false;
            }
            TunnelCount count = TunnelCount::arrived(all_.statistics_.by_id(series));
            return make_owners(name, level, follows_member, block, std::move(count), policy, to);
        });
    }
    bool has_worker() const { return has_worker_; }

  private:
    bool make_owners(WorkerName name, int level, bool follows_member, std::string_view block,
                     TunnelCount count, const Policy& policy, TunnelOwners& to) {
        const auto [server, worker] = all_.moves_.directory().find(name);
        has_worker_ = worker != nullptr;
        const TunnelLog log(server != nullptr ? server : ap_server_conf,
                            all_.pools_.warnings_of(worker, server).of("WSP0201"), level);
        LogRecord record(log, block);
        record.log_taken_over();
        to.policy = all_.policies_.share(policy);
        if (follows_member && has_worker_) {
            to.group = all_.members_.subscribe(worker);
        }
        to.observer = std::make_unique<PumpedTunnelObserver>(
            all_.tunnels_, TunnelContext{std::move(record), worker,
                                         all_.tunnels_.tunnel_permits().take_anyway(worker),
                                         std::move(count), follows_member});
        return true;
    }

    TunnelReceiver& all_;
    bool has_worker_ = false;
};

// The kernel drops what a process has no descriptors for. A tunnel comes with three at most.
bool TunnelReceiver::has_descriptors() {
    const auto another = [this] { return UniqueFd(::fcntl(fd(), F_DUPFD_CLOEXEC, 0)); };
    const UniqueFd three[] = {another(), another(), another()};
    if (three[2].valid()) {
        return true;
    }
    if (!told_no_descriptors_.exchange(true)) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, errno, ap_server_conf,
                     "WSP0175: no descriptor is left: this child process takes over no more "
                     "tunnels of others; raise ulimit -n");
    }
    tunnels_.stop_receiving();
    return false;
}

TunnelSource::Got TunnelReceiver::receive(std::unique_ptr<Tunnel>& to, RecordWorkspace* workspace,
                                          MonotonicUs now) noexcept {
    if (!tunnels_.may_receive(now) || !has_descriptors()) {
        return Got::nothing;
    }
    WipedBytes packet;
    MovedDescriptors descriptors;
    switch (moves_.receive(packet, descriptors)) {
        case DescriptorChannel::Received::image:
            return make_tunnel(to, packet, std::move(descriptors), workspace, now);
        case DescriptorChannel::Received::nothing:
            return Got::nothing;
        case DescriptorChannel::Received::nudge:
            return Got::skipped;
        case DescriptorChannel::Received::refused:
            log_lost("no descriptor or no memory was left for it; raise ulimit -n");
            break;
    }
    return Got::skipped;
}

TunnelSource::Got TunnelReceiver::make_tunnel(std::unique_ptr<Tunnel>& to, const WipedBytes& packet,
                                              MovedDescriptors descriptors,
                                              RecordWorkspace* workspace, MonotonicUs now) {
    ImageReader reader(packet.data(), packet.size());
    std::uint64_t build = 0;
    reader.take(build);
    const std::string_view image = reader.take_bytes();
    if (!reader.at_end() || build != image_build()) {
        log_lost("another version of this module has sent it");
        return Got::skipped;
    }
    Restorer restorer(*this);
    ImageReader tunnel(image);
    to = Tunnel::from_image(tunnel, std::move(descriptors), restorer, workspace);
    if (to == nullptr) {
        log_lost("it could not be made again; memory may have run out");
        return Got::skipped;
    }
    if (!restorer.has_worker()) {
        to->end(EndReason::drain, now);
    }
    return Got::tunnel;
}

}  // namespace wsp
