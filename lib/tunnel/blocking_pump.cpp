// Waits with poll(2) for one tunnel.
#include "tunnel/blocking_pump.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "tunnel/survey_respondent.hpp"

namespace wsp {
namespace {

enum Slot { kClient, kBackend, kWake, kStop, kHandler, kSlots };

// How often the loop looks for commands when the system has no descriptor left for waking it.
constexpr DurationUs kPollInterval = kSecond;

pollfd slot_for(const Tunnel& tunnel, Side side) {
    const Interest interest = tunnel.interest(side);
    pollfd slot{};
    // poll() skips a negative descriptor. So a hang-up that nobody waits for cannot make the loop spin.
    slot.fd = interest == kNoInterest ? -1 : tunnel.stream(side).fd();
    slot.events = static_cast<short>(((interest & kReadable) != 0 ? POLLIN : 0) |
                                     ((interest & kWritable) != 0 ? POLLOUT : 0));
    return slot;
}

Interest ready_of(const pollfd& slot) {
    if ((slot.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
        return kReadable | kWritable;
    }
    return static_cast<Interest>(((slot.revents & POLLIN) != 0 ? kReadable : 0) |
                                 ((slot.revents & POLLOUT) != 0 ? kWritable : 0));
}

}  // namespace

BlockingPump::BlockingPump(int stop_fd, FdHandler* handler)
    : TunnelLoop({scratch_memory_, sizeof scratch_memory_}), stop_fd_(stop_fd), handler_(handler) {
    events_.reserve(kSlots);
    // Without this descriptor the loop looks for commands every kPollInterval.
    [[maybe_unused]] const bool opened = wake_fd_.open();
}

void BlockingPump::answer(SurveyRespondent& survey) noexcept {
    set_survey(survey, !survey.has_listener());
}

void BlockingPump::run(std::unique_ptr<Tunnel> tunnel, OpeningTunnel opening) noexcept {
    tunnel_ = tunnel.get();
    const MonotonicUs now = monotonic_now();
    adopt_directly(std::move(tunnel), std::move(opening), now);
    process_inbox(now);  // commands that came before the tunnel
    while (!is_empty()) {
        round();
    }
}

const std::vector<Poller::Event>& BlockingPump::wait(DurationUs timeout) noexcept {
    pollfd slots[kSlots] = {slot_for(*tunnel_, Side::client),
                            slot_for(*tunnel_, Side::backend),
                            {wake_fd_.fd(), POLLIN, 0},
                            {stop_fd_, POLLIN, 0},
                            {handler_ != nullptr ? handler_->fd() : -1, POLLIN, 0}};
    const DurationUs longest = wake_fd_.valid() ? kNever : kPollInterval;
    events_.clear();
    if (::poll(slots, kSlots, poll_timeout(std::min(timeout, longest))) < 0) {
        failed_ = errno != EINTR;
        if (failed_) {
            events_.push_back({cookie_of(*tunnel_, Side::client), kNoInterest});
        }
        return events_;
    }
    if ((slots[kHandler].revents & POLLIN) != 0) {
        handler_->on_readable();
    }
    for (const Side side : {Side::client, Side::backend}) {
        const Interest ready = ready_of(slots[side == Side::client ? kClient : kBackend]);
        if (ready != kNoInterest) {
            events_.push_back({cookie_of(*tunnel_, side), ready});
        }
    }
    if ((slots[kWake].revents & POLLIN) != 0 || !wake_fd_.valid()) {
        events_.push_back({kWakeCookie, kReadable});
    }
    if ((slots[kStop].revents & POLLIN) != 0) {
        events_.push_back({kStopCookie, kReadable});
    }
    return events_;
}

// Nothing to do: wait() asks the tunnel each time.
bool BlockingPump::watch(Tunnel&) noexcept {
    return !failed_;
}

void BlockingPump::unwatch(Tunnel&) noexcept {}

}  // namespace wsp
