// The thread of a pump, how it waits, and what other threads do with it.
#include "tunnel/pump.hpp"

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/blocked_signals.hpp"
#include "tunnel/survey_respondent.hpp"

namespace wsp {
namespace {

// How much is read, and so written, at a time. With this size a bulk transfer needs few system calls and stays in the
// L2 cache. It is a little less than 64 KiB because of the loopback interface of Linux, where many backends are. That
// interface takes 65,483 bytes of payload in one segment (MTU 65,536; 65,463 with IPv6), so 64 KiB would need a second,
// tiny segment. With TLS, four records add 88 bytes to what was read.
constexpr std::size_t kScratchSize = 64 * 1024 - 256;

}  // namespace

Pump::Pump() : Pump(std::unique_ptr<std::uint8_t[]>(new std::uint8_t[kScratchSize])) {}

Pump::Pump(std::unique_ptr<std::uint8_t[]> scratch)
    : TunnelLoop({scratch.get(), kScratchSize}, &workspace_), scratch_memory_(std::move(scratch)) {
    // Here, and not in start(): whoever gives a command before that wakes it as well.
    [[maybe_unused]] const bool opened = wake_fd_.open();
}

Pump::~Pump() = default;

// --- any thread -------------------------------------------------------------------------------

bool Pump::start(int stop_fd) noexcept {
    if (!wake_fd_.valid()) {
        errno = EMFILE;
        return false;
    }
    if (!poller_.valid() || !poller_.watch(wake_fd_.fd(), kNoInterest, kReadable, kWakeCookie) ||
        (stop_fd >= 0 && !poller_.watch(stop_fd, kNoInterest, kReadable, kStopCookie))) {
        return false;
    }
    stop_fd_ = stop_fd;
    const BlockedSignals blocked;
    const int error = pthread_create(&thread_, nullptr, &Pump::thread_main, this);
    if (error != 0) {
        errno = error;
        return false;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    running_ = true;
    note_listener();
    return true;
}

bool Pump::receive_from(TunnelSource& source) noexcept {
    if (!poller_.watch_with_others(source.fd(), kSourceCookie)) {
        return false;
    }
    set_source(source);
    return true;
}

void Pump::answer(SurveyRespondent& survey) noexcept {
    set_survey(survey, !poller_.watch_edges(survey.wake_fd(), kSurveyCookie));
}

void Pump::stop_receiving() noexcept {
    request_no_more_tunnels();
}

bool Pump::adopt(std::unique_ptr<Tunnel>& tunnel, OpeningTunnel opening) noexcept {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!running_ || ended_ || !put_into_inbox(tunnel, std::move(opening))) {
            return false;
        }
    }
    wake();
    return true;
}

bool Pump::join(DurationUs patience) noexcept {
    {
        std::unique_lock<std::mutex> lock(mutex_);
        if (!running_) {
            return true;
        }
        joining_ = true;
        wake();
        if (!ended_signal_.wait_for(lock, std::chrono::microseconds(patience),
                                    [this] { return ended_; })) {
            return false;
        }
        running_ = false;
    }
    pthread_join(thread_, nullptr);
    return true;
}

// --- the pump's thread ------------------------------------------------------------------------

void* Pump::thread_main(void* self) noexcept {
    static_cast<Pump*>(self)->run();
    return nullptr;
}

void Pump::run() noexcept {
    do {
        round();
    } while (!ends_all() || !try_to_end());
}

// Ends the loop when it is empty and nobody can add a tunnel any more, and wakes join().
bool Pump::try_to_end() noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!joining_ || !is_empty() || !inbox_.empty() || is_asked()) {
        return false;
    }
    ended_ = true;
    ended_signal_.notify_all();
    return true;
}

const std::vector<Poller::Event>& Pump::wait(DurationUs timeout) noexcept {
    return poller_.wait(timeout);
}

bool Pump::watch(Tunnel& tunnel) noexcept {
    for (const Side side : {Side::client, Side::backend}) {
        Interest& watched = tunnel.watched[static_cast<std::size_t>(side)];
        const Interest wanted = tunnel.interest(side);
        if (wanted == watched) {
            continue;
        }
        if (!poller_.watch(tunnel.stream(side).fd(), watched, wanted, cookie_of(tunnel, side))) {
            return false;
        }
        watched = wanted;
    }
    return true;
}

void Pump::unwatch(Tunnel& tunnel) noexcept {
    for (const Side side : {Side::client, Side::backend}) {
        Interest& watched = tunnel.watched[static_cast<std::size_t>(side)];
        if (watched != kNoInterest) {
            // Can fail only for a descriptor that was never watched.
            [[maybe_unused]] const bool ok = poller_.watch(tunnel.stream(side).fd(), watched,
                                                           kNoInterest, cookie_of(tunnel, side));
            watched = kNoInterest;
        }
    }
}

void Pump::unwatch_stop() noexcept {
    [[maybe_unused]] const bool ok = poller_.watch(stop_fd_, kReadable, kNoInterest, kStopCookie);
}

bool Pump::watch_room(int fd, bool on) noexcept {
    return poller_.watch(fd, on ? kNoInterest : kWritable, on ? kWritable : kNoInterest,
                         kRoomCookie);
}

void Pump::unwatch_source(int fd) noexcept {
    [[maybe_unused]] const bool ok = poller_.watch(fd, kReadable, kNoInterest, kSourceCookie);
}

}  // namespace wsp
