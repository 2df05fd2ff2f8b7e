// One poll(2) over all attempts that are under way.
#include "net/connect_race.hpp"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

namespace wsp {
namespace {

struct Attempt {
    std::size_t index;
    UniqueFd fd;
};

class Race {
  public:
    Race(const std::vector<ConnectAddress>& addresses, const RaceRules& rules)
        : addresses_(addresses),
          rules_(rules),
          plan_(addresses.size(), std::max(rules.attempt_delay, 10 * kMillisecond)) {}

    RaceResult run() {
        while (!over()) {
            const MonotonicUs now = monotonic_now();
            if (now >= rules_.deadline) {
                result_.timed_out = true;
            } else if (plan_.is_due(now)) {
                begin(plan_.begin(now));
            } else {
                wait(now);
            }
        }
        return std::move(result_);
    }

  private:
    bool over() const {
        const bool all_failed = running_.empty() && plan_.next_at() == kNever;
        return result_.fd.valid() || result_.stopped || result_.timed_out || all_failed;
    }

    void begin(std::size_t index) {
        const ConnectAddress& to = addresses_[index];
        Attempt attempt{index, UniqueFd(::socket(to.address.ss_family,
                                                 SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))};
        const int fd = attempt.fd.get();
        if (fd < 0 || (rules_.prepare != nullptr && !rules_.prepare(fd, to, rules_.context))) {
            fail(index, errno);
            return;
        }
        if (::connect(fd, reinterpret_cast<const sockaddr*>(&to.address), to.size) == 0) {
            win(attempt);
        } else if (errno == EINPROGRESS || errno == EINTR) {
            running_.push_back(std::move(attempt));
        } else {
            fail(index, errno);
        }
    }

    void win(Attempt& attempt) {
        result_.winner = attempt.index;
        result_.fd = std::move(attempt.fd);
    }

    void fail(std::size_t index, int error) {
        result_.faults.push_back({index, error});
        plan_.on_failed(monotonic_now());
    }

    void wait(MonotonicUs now) {
        std::vector<pollfd> slots;
        for (const Attempt& attempt : running_) {
            slots.push_back({attempt.fd.get(), POLLOUT, 0});
        }
        slots.push_back({rules_.stop_fd, POLLIN, 0});
        if (::poll(slots.data(), slots.size(), timeout_ms(now)) <= 0) {
            return;
        }
        result_.stopped = slots.back().revents != 0;
        std::vector<Attempt> still_running;
        for (std::size_t i = 0; i < running_.size(); ++i) {
            if (slots[i].revents == 0 || result_.fd.valid()) {
                still_running.push_back(std::move(running_[i]));
            } else {
                finish(running_[i]);
            }
        }
        running_ = std::move(still_running);
    }

    void finish(Attempt& attempt) {
        int error = 0;
        socklen_t size = sizeof error;
        if (::getsockopt(attempt.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
            error = errno;
        }
        if (error == 0) {
            win(attempt);
        } else {
            fail(attempt.index, error);
        }
    }

    int timeout_ms(MonotonicUs now) const {
        const MonotonicUs until = std::min(rules_.deadline, plan_.next_at());
        if (until == kNever) {
            return -1;
        }
        const DurationUs left = std::max<DurationUs>(until - now, 0);
        return static_cast<int>(
            std::min<DurationUs>((left + kMillisecond - 1) / kMillisecond, INT_MAX));
    }

    const std::vector<ConnectAddress>& addresses_;
    const RaceRules& rules_;
    RacePlan plan_;
    std::vector<Attempt> running_;
    RaceResult result_;
};

}  // namespace

std::vector<std::size_t> race_order(const std::vector<ConnectAddress>& addresses,
                                    const ConnectAddress* last_good) {
    std::vector<std::size_t> first_family, others, order;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const bool first = addresses[i].address.ss_family == addresses[0].address.ss_family;
        (first ? first_family : others).push_back(i);
    }
    for (std::size_t i = 0; i < std::max(first_family.size(), others.size()); ++i) {
        for (const std::vector<std::size_t>* family : {&first_family, &others}) {
            if (i < family->size()) {
                order.push_back((*family)[i]);
            }
        }
    }
    if (last_good != nullptr) {
        std::stable_partition(order.begin(), order.end(), [&](std::size_t i) {
            return addresses[i].size == last_good->size &&
                   std::memcmp(&addresses[i].address, &last_good->address, last_good->size) == 0;
        });
    }
    return order;
}

RaceResult race_connect(const std::vector<ConnectAddress>& addresses, const RaceRules& rules) {
    return Race(addresses, rules).run();
}

}  // namespace wsp
