// Waits for all current attempts with one poll(2).
#include "net/connect_race.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>

namespace wsp {
namespace {

struct Attempt {
    std::size_t index;
    UniqueFd fd;
};

class Race {
  public:
    // Takes all the memory that the race needs.
    Race(const std::vector<ConnectAddress>& addresses, const RaceRules& rules)
        : addresses_(addresses), rules_(rules), plan_(addresses.size(), rules.attempt_delay) {
        running_.reserve(addresses.size());
        watched_.reserve(addresses.size() + 1);
        result_.faults.reserve(addresses.size());
    }

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
        watched_.clear();
        for (const Attempt& attempt : running_) {
            watched_.push_back({attempt.fd.get(), POLLOUT, 0});
        }
        watched_.push_back({rules_.stop_fd, POLLIN, 0});
        const int ready = ::poll(watched_.data(), watched_.size(), timeout_ms(now));
        if (ready > 0) {
            finish_the_ready();
        } else if (ready < 0 && errno != EINTR) {
            fail_all(errno);  // the race must not spin until its deadline
        }
    }

    void finish_the_ready() {
        for (std::size_t i = 0; i < running_.size() && !result_.fd.valid(); ++i) {
            if (watched_[i].revents != 0) {
                finish(running_[i]);
            }
        }
        const auto is_over = [](const Attempt& attempt) { return !attempt.fd.valid(); };
        running_.erase(std::remove_if(running_.begin(), running_.end(), is_over), running_.end());
        result_.stopped = watched_.back().revents != 0 && !result_.fd.valid();
    }

    // Afterwards the attempt has no descriptor.
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
            attempt.fd.reset();
        }
    }

    void fail_all(int error) {
        for (const Attempt& attempt : running_) {
            fail(attempt.index, error);
        }
        running_.clear();
    }

    int timeout_ms(MonotonicUs now) const {
        return poll_timeout_until(std::min(rules_.deadline, plan_.next_at()), now);
    }

    const std::vector<ConnectAddress>& addresses_;
    const RaceRules& rules_;
    RacePlan plan_;
    std::vector<Attempt> running_;
    std::vector<pollfd> watched_;  // one for each attempt in running_, then stop_fd
    RaceResult result_;
};

}  // namespace

std::vector<std::size_t> race_order(const std::vector<ConnectAddress>& addresses,
                                    const ConnectAddress* last_good) {
    std::vector<std::size_t> preferred(addresses.size()), first_family, others, order;
    std::iota(preferred.begin(), preferred.end(), std::size_t{0});
    if (last_good != nullptr) {
        // RFC 8305 4: sort by what is known from the past first, and interleave the families after that.
        std::stable_partition(preferred.begin(), preferred.end(), [&](std::size_t i) {
            return addresses[i].size == last_good->size &&
                   std::memcmp(&addresses[i].address, &last_good->address, last_good->size) == 0;
        });
    }
    for (const std::size_t i : preferred) {
        const bool first =
            addresses[i].address.ss_family == addresses[preferred[0]].address.ss_family;
        (first ? first_family : others).push_back(i);
    }
    for (std::size_t i = 0; i < std::max(first_family.size(), others.size()); ++i) {
        for (const std::vector<std::size_t>* family : {&first_family, &others}) {
            if (i < family->size()) {
                order.push_back((*family)[i]);
            }
        }
    }
    return order;
}

RaceResult race_connect(const std::vector<ConnectAddress>& addresses, const RaceRules& rules) {
    return Race(addresses, rules).run();
}

}  // namespace wsp
