// The loop that drives tunnels, one or many, on one thread: wait, move bytes, follow commands, fire timers, bury the dead. How
// it waits, and on whose thread, say its two kinds: Pump (pump.hpp) and BlockingPump (blocking_pump.hpp).
//
// Threads: close_all() and check_groups() may be called from any thread; they cross to the loop through
// the inbox, guarded by one mutex, and a wake-up descriptor. Everything else about a tunnel happens on the loop's
// thread. Where a signal handler may end the process or call these functions, that signal is held off in every thread that
// calls them and in the loop's own.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <vector>

#include "base/clock.hpp"
#include "base/wake_fd.hpp"
#include "net/poller.hpp"
#include "tunnel/close_plan.hpp"
#include "tunnel/timer_queue.hpp"
#include "tunnel/tunnel.hpp"

namespace wsp {

class TunnelLoop {
  public:
    TunnelLoop(const TunnelLoop&) = delete;
    TunnelLoop& operator=(const TunnelLoop&) = delete;

    // Ends every tunnel, and every one that arrives later, as planned. The loop goes on. Returns
    // at once. A second call can only bring the end nearer.
    void close_all(const ClosePlan& plan) noexcept;
    // Some group has been drained: ends the tunnels that had subscribed to it, as it plans. Returns at once. A tunnel that
    // arrives looks at its group by itself.
    void check_groups() noexcept;

    // Tunnels that have arrived and not yet ended. Any thread; a moment's truth.
    std::size_t tunnels() const noexcept {
        const std::size_t ended = ended_tunnels();  // first: there are never more than adopted ones
        return adopted_tunnels() - ended;
    }
    // Both only grow. Any thread.
    std::size_t adopted_tunnels() const noexcept { return adopted_count_.load(); }
    std::size_t ended_tunnels() const noexcept { return ended_count_.load(); }

  protected:
    // Of the events of wait(); no tunnel's.
    static constexpr std::uintptr_t kWakeCookie = 0;
    static constexpr std::uintptr_t kStopCookie = 1;
    static std::uintptr_t cookie_of(const Tunnel& tunnel, Side side) noexcept;

    explicit TunnelLoop(Scratch scratch);
    ~TunnelLoop() = default;

    // What is ready, after at most `timeout` (kNever: for ever). Valid until the next call.
    virtual const std::vector<Poller::Event>& wait(DurationUs timeout) noexcept = 0;
    // Waits for what the tunnel's interests are by now. False: the system refuses, and the tunnel ends.
    virtual bool watch(Tunnel& tunnel) noexcept = 0;
    virtual void unwatch(Tunnel& tunnel) noexcept = 0;
    // kStopCookie has come, and is not to come again.
    virtual void unwatch_stop() noexcept = 0;

    // Any thread. False, and `tunnel` is still the caller's, without memory.
    bool put_into_inbox(std::unique_ptr<Tunnel>& tunnel) noexcept;
    void wake() const noexcept { wake_fd_.wake(); }

    // The loop's thread. A round waits once and does all that there is to do.
    void round() noexcept;
    void process_inbox(MonotonicUs now) noexcept;
    void adopt_directly(std::unique_ptr<Tunnel> tunnel, MonotonicUs now) noexcept;
    bool is_empty() const noexcept { return tunnels_.empty(); }
    bool ends_all() const noexcept { return plan_.has_value(); }

    WakeFd wake_fd_;  // opened by whoever waits on it
    std::mutex mutex_;
    std::vector<std::unique_ptr<Tunnel>> inbox_;  // under mutex_

  private:
    void make_room_for_one();
    void start_tunnel(std::unique_ptr<Tunnel> tunnel, MonotonicUs now) noexcept;
    void handle(const Poller::Event& event, MonotonicUs now) noexcept;
    void run_queued(MonotonicUs now) noexcept;
    void fire_timers(MonotonicUs now) noexcept;
    void after_work(Tunnel& tunnel, MonotonicUs now) noexcept;
    void retire(Tunnel& tunnel, MonotonicUs now) noexcept;
    void follow_plan(Tunnel& tunnel, const ClosePlan& plan, MonotonicUs now) noexcept;
    void check_group(Tunnel& tunnel, MonotonicUs now) noexcept;
    void abort_all(MonotonicUs now) noexcept;
    MonotonicUs wake_at() const noexcept;

    // The loop's own.
    std::vector<std::unique_ptr<Tunnel>>
        tunnels_;  // each knows its place in here: LoopHook::loop_place
    std::vector<std::unique_ptr<Tunnel>>
        retired_;  // destroyed when no event of this round can name them any more
    std::vector<Tunnel*> run_queue_;  // has_more(): advance again before sleeping
    std::vector<Tunnel*> run_now_;    // the ones of this round
    TimerQueue<Tunnel> timers_;
    Scratch scratch_;
    std::optional<ClosePlan> plan_;
    std::optional<std::minstd_rand> random_;  // from the first plan on that needs it

    // Shared with the loop, under mutex_.
    std::optional<ClosePlan> requested_plan_;
    bool group_check_requested_ = false;

    std::atomic<std::size_t> adopted_count_{0};
    std::atomic<std::size_t> ended_count_{0};
};

}  // namespace wsp
