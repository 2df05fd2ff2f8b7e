// A loop for many tunnels, on its own thread. A pump belongs to its creator, and its tunnels belong to the pump.
//
// Threads: adopt() and join() may be called from any thread, as may the commands of every loop (tunnel_loop.hpp). The
// thread of the pump has all signals blocked.
#pragma once

#include <pthread.h>

#include <condition_variable>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "net/poller.hpp"
#include "net/record_stream.hpp"
#include "tunnel/tunnel_loop.hpp"

namespace wsp {

class Pump final : public TunnelLoop {
  public:
    Pump();
    // Either join() has returned true, or start() has never returned true.
    ~Pump();

    // Creates the thread, which follows the commands that were given before. Returns false with errno when the system refuses a thread or a descriptor. Once `stop_fd` is
    // readable, all tunnels end as with close_all(ClosePlan::stop()). That is for signal handlers, which must not call
    // close_all(). The descriptor belongs to the caller and stays open as long as the pump. -1: none.
    [[nodiscard]] bool start(int stop_fd = -1) noexcept;

    // Takes in the tunnels that `source` brings, until stop_receiving(). To be called at most once, before start().
    // Returns false with errno when the system refuses to watch its descriptor. The source outlives the pump.
    [[nodiscard]] bool receive_from(TunnelSource& source) noexcept;
    // Takes in no more tunnels. Returns at once. Any thread. move_all() and close_all() imply it.
    void stop_receiving() noexcept;

    // Answers the survey. To be called at most once, before start(). Where the system refuses to watch for questions,
    // the pump looks for them from time to time. `survey` outlives the pump.
    void answer(SurveyRespondent& survey) noexcept;

    // Gives a tunnel to the pump, which starts it on its own thread. Returns false when the pump does not run, has
    // ended, or has no memory; the caller then still owns `tunnel`. `opening` ends when the pump has it, or at once.
    [[nodiscard]] bool adopt(std::unique_ptr<Tunnel>& tunnel, OpeningTunnel opening = {}) noexcept;

    // Waits for the last tunnel and the thread to end, for at most `patience`. To be called after close_all(), when
    // nobody calls adopt() any more. When it returns false, the thread still runs: the pump and its tunnels must then
    // never be destroyed.
    [[nodiscard]] bool join(DurationUs patience) noexcept;

  private:
    explicit Pump(std::unique_ptr<std::uint8_t[]> scratch);

    static void* thread_main(void* self) noexcept;
    void run() noexcept;
    bool try_to_end() noexcept;

    const std::vector<Poller::Event>& wait(DurationUs timeout) noexcept override;
    bool watch(Tunnel& tunnel) noexcept override;
    void unwatch(Tunnel& tunnel) noexcept override;
    void unwatch_stop() noexcept override;
    bool can_move_tunnels() const noexcept override { return true; }
    bool watch_room(int fd, bool on) noexcept override;
    void unwatch_source(int fd) noexcept override;
    TunnelRow::Mode mode() const noexcept override { return TunnelRow::Mode::pumped; }
    bool has_ended() const noexcept override { return ended_; }

    // Used only by the thread of the loop.
    std::unique_ptr<std::uint8_t[]> scratch_memory_;
    RecordWorkspace workspace_;
    Poller poller_;
    int stop_fd_ = -1;

    // Shared between threads, under mutex_.
    std::condition_variable ended_signal_;
    bool running_ = false;
    bool joining_ = false;
    bool ended_ = false;

    pthread_t thread_{};
};

}  // namespace wsp
