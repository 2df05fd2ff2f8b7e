// Connections that echo: as fast as they can, or at a fixed rate.
#include <sys/timerfd.h>
#include <unistd.h>

#include <cmath>
#include <memory>
#include <stdexcept>
#include <vector>

#include "loads.hpp"
#include "result.hpp"

namespace bench {
namespace {

constexpr std::size_t kOpenAtOnce = 32;
constexpr int kWarmUp = 2;  // echoes per connection before anything is measured
constexpr int kTurnMs = 100;

// Counts the beats of a fixed rate, whatever the loop is busy with.
class Metronome : public Handler {
  public:
    Metronome(EventLoop& loop, double rate)
        : fd_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
        const double period = 1 / rate;
        itimerspec beat{};
        beat.it_interval.tv_sec = static_cast<time_t>(period);
        beat.it_interval.tv_nsec = static_cast<long>(std::fmod(period, 1) * 1e9);
        beat.it_value = beat.it_interval;
        ::timerfd_settime(fd_, 0, &beat, nullptr);
        loop.watch(fd_, *this, EPOLLIN);
    }
    ~Metronome() { ::close(fd_); }
    Metronome(const Metronome&) = delete;
    Metronome& operator=(const Metronome&) = delete;

    void on_event(std::uint32_t) override {
        std::uint64_t beats = 0;
        if (::read(fd_, &beats, sizeof beats) == sizeof beats) {
            due += beats;
        }
    }
    std::uint64_t due = 0;  // beats that nobody has acted on yet

  private:
    int fd_;
};

class EchoLoad : public Client::Listener {
  public:
    explicit EchoLoad(const LoadOptions& options)
        : options_(options),
          tls_(options.tls ? make_tls_context() : nullptr),
          message_(options.size) {
        durations_.reserve(options.count);
    }

    void open_all() {
        const Clock::time_point limit = limit_from_now();
        while (warm_ < options_.connections) {
            while (clients_.size() < options_.connections &&
                   clients_.size() - warm_ < kOpenAtOnce) {
                const Target target{options_.port, tls_.get()};
                clients_.push_back(std::make_unique<Client>(loop_, target, message_, *this));
            }
            loop_.turn(kTurnMs);
            if (Clock::now() > limit) {
                throw std::runtime_error("only " + std::to_string(warm_) +
                                         " connections echoed in time");
            }
        }
    }

    void work() {
        const Clock::time_point began = Clock::now();
        const Clock::time_point limit = limit_from_now();
        if (options_.rate > 0) {
            keep_pace(limit);
        } else {
            go_flat_out(limit);
        }
        const Clock::duration took = Clock::now() - began;
        tell(durations_, skipped_, took);
    }

    void on_open(Client& client) override { client.send_message(); }

    void on_echo(Client& client) override {
        ++client.echoes;
        if (client.echoes <= kWarmUp) {
            client.echoes < kWarmUp ? client.send_message() : void(++warm_);
            return;
        }
        durations_.add(Clock::now() - client.since);
        if (options_.rate == 0) {
            send_one(client);
        }
    }

    void on_close(Client&) override { throw std::runtime_error("the proxy closed a tunnel"); }

  private:
    void go_flat_out(Clock::time_point limit) {
        for (auto& client : clients_) {
            send_one(*client);
        }
        while (durations_.count() < options_.count && Clock::now() < limit) {
            loop_.turn(kTurnMs);
        }
        stopped_ = true;
    }

    // The connections take turns. One that still waits for its last echo misses its turn.
    void keep_pace(Clock::time_point limit) {
        Metronome metronome(loop_, options_.rate);
        while (durations_.count() + skipped_ < options_.count && Clock::now() < limit) {
            loop_.turn(kTurnMs);
            for (; metronome.due > 0 && sent_ + skipped_ < options_.count; --metronome.due) {
                Client& client = *clients_[(sent_ + skipped_) % clients_.size()];
                client.busy() ? void(++skipped_) : send_one(client);
            }
        }
    }

    void send_one(Client& client) {
        if (sent_ < options_.count && !stopped_) {
            ++sent_;
            client.since = Clock::now();
            client.send_message();
        }
    }

    Clock::time_point limit_from_now() const {
        return Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                  std::chrono::duration<double>(options_.seconds));
    }

    const LoadOptions options_;
    EventLoop loop_;
    TlsContext tls_;
    const Message message_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::size_t warm_ = 0;  // clients that have warmed up
    std::size_t sent_ = 0;
    std::size_t skipped_ = 0;
    bool stopped_ = false;
    Durations durations_;
};

}  // namespace

void run_echo_load(const LoadOptions& options) {
    EchoLoad load(options);
    load.open_all();
    await_go();
    load.work();
    await_end();
}

}  // namespace bench
