// How a tunnel goes into an image and comes out of one. Times are of the monotonic clock, which all processes share.
#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "net/moved_stream.hpp"
#include "tunnel/tunnel.hpp"

namespace wsp {
namespace {

// The numbers of the terms. The lifetime has become TunnelState::end_at_ in start(). The group is subscribed to anew:
// its address means nothing elsewhere. The policy's numbers travel, and its new owner shares one object among tunnels.
struct TermsNumbers {
    Policy policy;
    std::uint8_t allowed_rsv = 0;
    bool raw = false;
    std::uint32_t surveyed = 0;

    template <class Self, class Fields>
    static void each_member(Self& self, Fields& fields) {
        WSP_EACH_MEMBER(fields, self, policy_, allowed_rsv_, raw_, surveyed_);
    }
};

TermsNumbers numbers_of(const TunnelTerms& terms) {
    const auto& [policy, lifetime, allowed_rsv, raw, surveyed, group] = terms;  // all there are
    return {*policy, allowed_rsv, raw, surveyed};
}

// Tells an observer whose tunnel could not be made.
void report_loss(TunnelObserver* observer, const ImageReader& image) noexcept {
    if (observer != nullptr) {
        TunnelReport report;
        report.reason =
            image.lacked_memory() ? EndReason::out_of_memory : EndReason::internal_error;
        report.close_code = kCloseAbnormal;
        observer->on_end(report);
    }
}

// What a Tunnel has besides its TunnelState and what a loop needs: the members that the functions below know of.
class Known final : public LoopHook, private ControlListener, private TunnelState {
    std::array<std::unique_ptr<Stream>, 2> streams_;
    TunnelTerms terms_;
    std::unique_ptr<TunnelObserver> observer_;
    std::unique_ptr<std::array<std::string, 2>> early_;
    Direction directions_[2];
    bool on_control(Side, const FrameScanner::Control&) noexcept override { return false; }
};
static_assert(sizeof(Tunnel) == sizeof(Known), "does the new member of Tunnel travel?");

}  // namespace

CanMove Tunnel::can_move() const noexcept {
    if (done() || early_) {
        return CanMove::never;
    }
    CanMove answer = CanMove::now;
    for (const Side side : kSides) {
        if (stream(side).movable_kind() != StreamKind::none) {
            continue;
        }
        if (!stream(side).awaits_successor()) {
            return CanMove::never;
        }
        answer = CanMove::later;
    }
    return answer;
}

bool Tunnel::write_image(ImageWriter& image) const noexcept {
    for (const Side side : kSides) {
        if (!write_stream(image, stream(side))) {
            return false;
        }
    }
    write_members(image, numbers_of(terms_));
    const std::size_t observer = image.begin_bytes();
    if (observer_ && !observer_->write_image(image)) {
        return false;
    }
    image.end_bytes(observer);
    write_members(image, static_cast<const TunnelState&>(*this));
    for (const Side side : kSides) {
        write_members(image, from(side));
    }
    return true;
}

void Tunnel::moved_away() noexcept {
    if (observer_) {
        observer_->on_moved();
        observer_.reset();
    }
    aborted_ = true;
}

std::unique_ptr<Tunnel> Tunnel::from_image(ImageReader& image, MovedDescriptors descriptors,
                                           TunnelRestorer& restorer,
                                           RecordWorkspace* workspace) noexcept {
    TunnelParts parts;
    parts.client = restorer.stream(Side::client, image, std::move(descriptors.client), workspace);
    parts.backend =
        restorer.stream(Side::backend, image, std::move(descriptors.backend), workspace);
    TermsNumbers numbers;
    read_members(image, numbers);
    ImageReader observer(image.take_bytes());
    TunnelOwners owners;
    if (!image.ok() || !parts.client || !parts.backend ||
        !restorer.restore(observer, numbers.policy, owners) || !owners.policy) {
        return nullptr;
    }
    parts.terms = {std::move(owners.policy), {},          numbers.allowed_rsv, numbers.raw,
                   numbers.surveyed,         owners.group};
    std::unique_ptr<Tunnel> tunnel(new (std::nothrow) Tunnel(std::move(parts)));
    if (!tunnel) {
        image.fail_without_memory();
    }
    if (!tunnel || !tunnel->read_state(image)) {
        report_loss(owners.observer.get(), image);
        return nullptr;
    }
    tunnel->observer_ = std::move(owners.observer);
    return tunnel;
}

bool Tunnel::read_state(ImageReader& image) noexcept {
    read_members(image, static_cast<TunnelState&>(*this));
    for (const Side side : kSides) {
        read_members(image, from(side));
    }
    const bool sound = from(Side::client).from() == Side::client &&
                       from(Side::backend).from() == Side::backend && started_ != kNever &&
                       now_ != kNever && !done();
    if (!image.at_end() || !sound) {
        image.fail();
    }
    return image.ok();
}

}  // namespace wsp
