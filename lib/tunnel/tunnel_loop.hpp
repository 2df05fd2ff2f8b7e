// A loop that drives one or many tunnels on one thread: waits, moves bytes, follows commands, runs timers, hands
// tunnels to other processes and takes in theirs, and destroys tunnels that have ended. There are two kinds, which
// differ in how they wait and on whose thread: Pump (pump.hpp) and BlockingPump (blocking_pump.hpp).
//
// Threads: close_all(), check_groups() and move_all() may be called from any thread. They reach the loop through the
// inbox, which one mutex guards, and a descriptor that wakes the loop. Everything else about a tunnel happens on the
// thread of the loop. A signal whose handler may end the process or call these functions must be blocked in every
// thread that calls them, and in the thread of the loop.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <vector>

#include "base/clock.hpp"
#include "base/wake_fd.hpp"
#include "net/poller.hpp"
#include "survey/opening_tunnel.hpp"
#include "survey/survey_page.hpp"
#include "tunnel/close_plan.hpp"
#include "tunnel/loop_lag.hpp"
#include "tunnel/timer_queue.hpp"
#include "tunnel/tunnel.hpp"

namespace wsp {

class SurveyRespondent;

class TunnelLoop {
  public:
    TunnelLoop(const TunnelLoop&) = delete;
    TunnelLoop& operator=(const TunnelLoop&) = delete;

    // Ends all tunnels as planned, also those that arrive later. The loop itself goes on. Returns at once. A second
    // plan counts only when it ends earlier.
    void close_all(const ClosePlan& plan) noexcept;
    // A group has been drained: ends the tunnels that have subscribed to it, as the group plans. Returns at once.
    // Tunnels that arrive later check their group themselves.
    void check_groups() noexcept;

    // Hands all tunnels to another process as planned, also those that arrive later. Returns at once. close_all() ends
    // that; after it, or after another call, this one changes nothing. A loop that cannot move tunnels follows the
    // fallback plan at once.
    void move_all(const MovePlan& plan) noexcept;

    // Answers this question of the survey, a slice of the tunnels in each round, and tells the respondent when that is
    // done. Returns at once; false: the loop has ended, or answers no surveys.
    bool ask(SurveyPage::Number number) noexcept;
    // The loop has ended, or is called by its own thread: it is not waited for any more.
    void end_answering() noexcept;

    // Tunnels that are here: they have arrived and neither ended nor moved away. Any thread; the number may change at
    // once.
    std::size_t tunnels() const noexcept {
        const std::size_t gone = ended_tunnels() + moved_tunnels();  // read first: never negative
        return adopted_tunnels() - gone;
    }
    // From now on the loop counts how long it works before it looks for new events. Before its thread begins.
    void count_lag(SeriesCounters counters) noexcept { lag_ = LoopLag(counters); }

    // These only grow. Any thread.
    std::size_t adopted_tunnels() const noexcept { return adopted_count_.load(); }
    std::size_t ended_tunnels() const noexcept { return ended_count_.load(); }
    std::size_t moved_tunnels() const noexcept { return moved_count_.load(); }
    // Of the adopted ones, those that came from another process.
    std::size_t received_tunnels() const noexcept { return received_count_.load(); }

  protected:
    // Cookies of events of wait() that belong to no tunnel.
    static constexpr std::uintptr_t kWakeCookie = 0;
    static constexpr std::uintptr_t kStopCookie = 1;
    static constexpr std::uintptr_t kSourceCookie = 2;  // tunnels have come from other processes
    static constexpr std::uintptr_t kRoomCookie = 3;    // there is room for sending tunnels
    static constexpr std::uintptr_t kSurveyCookie = 4;  // there may be a question
    static constexpr std::uintptr_t kLastOwnCookie = kSurveyCookie;
    static std::uintptr_t cookie_of(const Tunnel& tunnel, Side side) noexcept;

    // `workspace`: for the successors of TLS streams (Stream::successor). Null: they have none in this loop. Outlives
    // the tunnels.
    explicit TunnelLoop(Scratch scratch, RecordWorkspace* workspace = nullptr);
    ~TunnelLoop() = default;

    // Returns what is ready, after at most `timeout` (kNever: no limit). Valid until the next call.
    virtual const std::vector<Poller::Event>& wait(DurationUs timeout) noexcept = 0;
    // From now on waits for the current interests of the tunnel. Returns false when the system refuses; the tunnel then
    // ends.
    virtual bool watch(Tunnel& tunnel) noexcept = 0;
    virtual void unwatch(Tunnel& tunnel) noexcept = 0;
    // kStopCookie has come and must not come again.
    virtual void unwatch_stop() noexcept = 0;

    // Loops that can neither send nor receive tunnels need not have these.
    virtual bool can_move_tunnels() const noexcept { return false; }
    virtual bool watch_room(int fd, bool on) noexcept;
    virtual void unwatch_source(int fd) noexcept;

    // Any thread that holds mutex_. Returns false without memory; the caller then still owns `tunnel`.
    bool put_into_inbox(std::unique_ptr<Tunnel>& tunnel, OpeningTunnel opening) noexcept;
    void wake() const noexcept { wake_fd_.wake(); }

    // Called on the thread of the loop. A round waits once and then does everything that there is to do.
    void round() noexcept;
    void process_inbox(MonotonicUs now) noexcept;
    // `opening` ends when it returns.
    void adopt_directly(std::unique_ptr<Tunnel> tunnel, OpeningTunnel opening,
                        MonotonicUs now) noexcept;
    bool is_empty() const noexcept { return tunnels_.empty(); }
    bool ends_all() const noexcept { return plan_ || moving_; }
    void set_source(TunnelSource& source) noexcept { source_ = &source; }
    // Before the first round. `looks`: nothing wakes the loop for a question, so it looks from time to time.
    void set_survey(SurveyRespondent& survey, bool looks) noexcept;
    // Its thread runs: it can pass questions on.
    void note_listener() const noexcept;
    virtual TunnelRow::Mode mode() const noexcept = 0;
    // Any thread that holds mutex_. The loop does nothing any more.
    virtual bool has_ended() const noexcept { return false; }
    bool is_asked() const noexcept { return asked_.load() != 0; }
    void request_no_more_tunnels() noexcept;

    WakeFd wake_fd_;  // opened by the class that waits on it
    std::mutex mutex_;
    struct Arriving {
        std::unique_ptr<Tunnel> tunnel;
        OpeningTunnel opening;
    };
    std::vector<Arriving> inbox_;  // guarded by mutex_

  private:
    void make_room_for_one();
    enum class Arrival : std::uint8_t { fresh, moved };
    void take_in(std::unique_ptr<Tunnel> tunnel, Arrival how, MonotonicUs now) noexcept;
    bool handle_own(const Poller::Event& event, MonotonicUs now) noexcept;
    void handle(const Poller::Event& event, MonotonicUs now) noexcept;
    void run_queued(MonotonicUs now) noexcept;
    void fire_timers(MonotonicUs now) noexcept;
    void after_work(Tunnel& tunnel, MonotonicUs now) noexcept;
    void retire(Tunnel& tunnel, MonotonicUs now) noexcept;
    void take_out(Tunnel& tunnel) noexcept;
    void follow_plan(Tunnel& tunnel, const ClosePlan& plan, MonotonicUs now) noexcept;
    void check_group(Tunnel& tunnel, MonotonicUs now) noexcept;
    void abort_all(MonotonicUs now) noexcept;
    MonotonicUs wake_at() const noexcept;

    // tunnel_loop_moves.cpp
    void start_moving(const MovePlan& plan, MonotonicUs now) noexcept;
    void stop_moving() noexcept;
    void move_some(MonotonicUs now) noexcept;
    enum class Moved : std::uint8_t { moved, stays, later, full, not_now };
    Moved move(Tunnel& tunnel, MonotonicUs now) noexcept;
    void take_back_orphans(MonotonicUs now) noexcept;
    MonotonicUs move_wake_at() const noexcept;
    // Takes in as many tunnels of other processes as have come, at most `most`.
    void receive(int most, MonotonicUs now) noexcept;
    void leave_source(MonotonicUs now) noexcept;

    // tunnel_loop_survey.cpp
    void begin_answering() noexcept;
    void answer_some(MonotonicUs now) noexcept;
    void look_for_question(MonotonicUs now) noexcept;
    void catch_up_with_survey(Tunnel& tunnel, MonotonicUs now) noexcept;
    bool answer_for(Tunnel& tunnel, MonotonicUs now) noexcept;
    void follow_order(Tunnel& tunnel, const SurveyQuestion& order, MonotonicUs now) noexcept;
    void write_row(Tunnel& tunnel, MonotonicUs now) noexcept;
    std::uint32_t random() noexcept;

    // Used only by the thread of the loop.
    //
    // Each tunnel knows its index: LoopHook::loop_place.
    std::vector<std::unique_ptr<Tunnel>> tunnels_;
    // Destroyed at the end of the round, when no event can refer to them any more.
    std::vector<std::unique_ptr<Tunnel>> retired_;
    // Tunnels with has_more(): they advance again before the loop waits.
    std::vector<Tunnel*> run_queue_;
    std::vector<Tunnel*> run_now_;  // the part of it that runs in this round
    TimerQueue<Tunnel> timers_;
    Scratch scratch_;
    RecordWorkspace* workspace_;
    LoopLag lag_;
    std::optional<ClosePlan> plan_;
    std::optional<std::minstd_rand> random_;  // created for the first plan that needs it

    std::optional<MovePlan> moving_;
    MonotonicUs move_at_ = kNever;  // when to try again
    std::size_t move_place_ = 0;    // tunnels_ below this index have their turn next
    bool awaits_room_ = false;      // kRoomCookie may come
    ImageWriter image_;
    TunnelSource* source_ = nullptr;       // null: takes in no tunnels of other processes
    TunnelSource* left_source_ = nullptr;  // what source_ was before leave_source()

    SurveyRespondent* survey_ = nullptr;  // null: answers no surveys
    SurveyQuestion question_;             // the last one that this loop knows of
    SurveyPage::RowWriter rows_;
    bool answering_ = false;        // question_ is being answered
    std::size_t answer_place_ = 0;  // tunnels_ below this index have their turn next
    MonotonicUs look_at_ = kNever;  // when to look for a question
    std::int64_t process_ = 0;
    // The question that the respondent waits for; 0: none. Set by any thread.
    std::atomic<SurveyPage::Number> asked_{0};

    // Shared between threads, under mutex_.
    std::optional<ClosePlan> requested_plan_;
    std::optional<MovePlan> requested_moves_;
    bool group_check_requested_ = false;
    bool no_more_requested_ = false;

    std::atomic<std::size_t> adopted_count_{0};
    std::atomic<std::size_t> ended_count_{0};
    std::atomic<std::size_t> moved_count_{0};
    std::atomic<std::size_t> received_count_{0};
};

}  // namespace wsp
