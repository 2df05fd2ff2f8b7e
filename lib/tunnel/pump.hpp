// Many tunnels, one loop, on a thread of its own. A pump belongs to whoever made it; its tunnels belong to it.
//
// Threads: besides the commands of every loop, adopt() and join() may be called from any thread. The loop's thread has all
// signals blocked.
#pragma once

#include <pthread.h>

#include <condition_variable>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "net/poller.hpp"
#include "tunnel/tunnel_loop.hpp"

namespace wsp {

class Pump final : public TunnelLoop {
  public:
    Pump();
    // join() must have returned true, or start() must never have returned true.
    ~Pump();

    // Makes the thread. False with errno when the system refuses a thread or a descriptor. Once
    // `stop_fd` is readable everything is ended as by close_all(ClosePlan::stop()): for signal
    // handlers, which cannot call that. The caller's, open for as long as the pump; -1: none.
    [[nodiscard]] bool start(int stop_fd = -1) noexcept;

    // Hands a tunnel over; it is started on the loop's thread. False, and `tunnel` is still the
    // caller's, when the pump does not run, has ended or memory has run out.
    [[nodiscard]] bool adopt(std::unique_ptr<Tunnel>& tunnel) noexcept;

    // After close_all(), when nobody will adopt any more: waits for the last tunnel and the loop to
    // end, for at most `patience`. False when they have not: the pump and its tunnels must then be
    // left alone, since the thread still uses them.
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

    // The loop's own.
    std::unique_ptr<std::uint8_t[]> scratch_memory_;
    Poller poller_;
    int stop_fd_ = -1;

    // Shared with the loop, under mutex_.
    std::condition_variable ended_signal_;
    bool running_ = false;
    bool joining_ = false;
    bool ended_ = false;

    pthread_t thread_{};
};

}  // namespace wsp
