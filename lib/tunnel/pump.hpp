// Many tunnels, one loop, one thread. A pump belongs to whoever made it; its tunnels belong to it.
//
// Threads: adopt(), close_all(), close_group() and join() may be called from any thread; they cross to the loop
// through the inbox, guarded by one mutex, and a wake-up descriptor. Everything else about a tunnel
// happens on the loop's thread, with all signals blocked.
#pragma once

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/unique_fd.hpp"
#include "net/poller.hpp"
#include "tunnel/close_plan.hpp"
#include "tunnel/timer_queue.hpp"
#include "tunnel/tunnel.hpp"

namespace wsp {

class Pump {
  public:
    Pump();
    // join() must have returned true, or start() must never have returned true.
    ~Pump();
    Pump(const Pump&) = delete;
    Pump& operator=(const Pump&) = delete;

    // Makes the thread. False with errno when the system refuses a thread or a descriptor. Once
    // `stop_fd` is readable everything is ended as by close_all(ClosePlan::stop()): for signal
    // handlers, which cannot call that. The caller's, open for as long as the pump; -1: none.
    [[nodiscard]] bool start(int stop_fd = -1) noexcept;

    // Hands a tunnel over; it is started on the loop's thread. False, and `tunnel` is still the
    // caller's, when the pump does not run, has ended or memory has run out.
    [[nodiscard]] bool adopt(std::unique_ptr<Tunnel>& tunnel) noexcept;

    // Ends every tunnel, and every one that is adopted later, as planned. The loop goes on. Returns
    // at once. A second call can only bring the end nearer.
    void close_all(const ClosePlan& plan) noexcept;
    // Ends the tunnels whose policy names `group` and that have arrived by now, as planned; the plan's
    // cut does not count. One that is adopted before the loop wakes goes with them. Returns at once.
    // Without memory nothing is ended, and false returned.
    [[nodiscard]] bool close_group(const void* group, const ClosePlan& plan) noexcept;
    // After close_all(), when nobody will adopt any more: waits for the last tunnel and the loop to
    // end, for at most `patience`. False when they have not: the pump and its tunnels must then be
    // left alone, since the thread still uses them.
    [[nodiscard]] bool join(DurationUs patience) noexcept;

    // Tunnels adopted and not yet ended. Any thread; a moment's truth.
    std::size_t tunnels() const noexcept {
        const std::size_t ended = ended_tunnels();  // first: there are never more than adopted ones
        return adopted_tunnels() - ended;
    }
    // Both only grow. Any thread.
    std::size_t adopted_tunnels() const noexcept { return adopted_count_.load(); }
    std::size_t ended_tunnels() const noexcept { return ended_count_.load(); }

  private:
    // What is read at a time, and so written: a bulk read is few system calls, and stays in the L2
    // cache. Just below 64 KiB, since Linux's loopback interface, on which many a backend is, takes
    // 65,483 bytes of payload in one segment (MTU 65,536; 65,463 with IPv6): 64 KiB would be two, the
    // second of them a tiny one.
    static constexpr std::size_t kScratchSize = 64 * 1024 - 128;
    // Of the poller's events; no tunnel's.
    static constexpr std::uintptr_t kWakeCookie = 0;
    static constexpr std::uintptr_t kStopCookie = 1;

    static void* thread_main(void* self) noexcept;
    void run() noexcept;
    bool try_to_end() noexcept;
    void make_room_for_one();
    void take_inbox(MonotonicUs now) noexcept;
    void take_in(std::unique_ptr<Tunnel> tunnel, MonotonicUs now) noexcept;
    void handle(const Poller::Event& event, MonotonicUs now) noexcept;
    void run_turns(MonotonicUs now) noexcept;
    void fire_timers(MonotonicUs now) noexcept;
    void after_work(Tunnel& tunnel, MonotonicUs now) noexcept;
    bool watch(Tunnel& tunnel) noexcept;
    void retire(Tunnel& tunnel, MonotonicUs now) noexcept;
    void follow_plan(Tunnel& tunnel, const ClosePlan& plan, MonotonicUs now) noexcept;
    void end_group(const void* group, const ClosePlan& plan, MonotonicUs now) noexcept;
    void cut_all(MonotonicUs now) noexcept;
    void stop(MonotonicUs now) noexcept;
    MonotonicUs wake_at() const noexcept;
    void wake() noexcept;

    // The loop's own.
    Poller poller_;
    std::vector<std::unique_ptr<Tunnel>>
        tunnels_;  // each knows its place in here: PumpHook::pump_place
    std::vector<std::unique_ptr<Tunnel>>
        retired_;                 // destroyed when no event of this round can name them any more
    std::vector<Tunnel*> turns_;  // has_more(): advance again before sleeping
    std::vector<Tunnel*> turns_due_;  // the ones of this round
    TimerQueue<Tunnel> timers_;
    std::unique_ptr<std::uint8_t[]> scratch_;
    std::optional<ClosePlan> plan_;
    std::minstd_rand random_;
    int stop_fd_ = -1;

    // Shared with the loop, under mutex_.
    std::mutex mutex_;
    std::condition_variable ended_signal_;
    std::vector<std::unique_ptr<Tunnel>> inbox_;
    std::optional<ClosePlan> asked_plan_;
    std::vector<std::pair<const void*, ClosePlan>> asked_groups_;
    bool running_ = false;
    bool joining_ = false;
    bool ended_ = false;

    UniqueFd wake_read_;
    UniqueFd wake_write_;
    pthread_t thread_{};
    std::atomic<std::size_t> adopted_count_{0};
    std::atomic<std::size_t> ended_count_{0};
};

}  // namespace wsp
