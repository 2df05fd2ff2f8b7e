// A loop for one tunnel on the calling thread. Used when a connection cannot leave httpd: for HTTP/2 streams, for
// foreign filters, and with ProxyWebsocketAsync Off. It waits with poll(2) and asks the streams for their descriptors
// each time, since httpd may replace the descriptor of a connection (FilterStream::fd).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "tunnel/tunnel_loop.hpp"

namespace wsp {

// Handles a descriptor that only the thread of a blocking pump watches, such as one for signals that the thread blocks.
class FdHandler {
  public:
    virtual ~FdHandler() = default;
    // on_readable() is called when this descriptor is readable. -1: there is none any more. Asked before each wait.
    virtual int fd() const noexcept = 0;
    // Called on the thread of the loop. May give commands to the loop.
    virtual void on_readable() noexcept = 0;
};

class BlockingPump final : public TunnelLoop {
  public:
    // Once `stop_fd` is readable, the tunnel ends as with close_all(ClosePlan::stop()). -1: none. The pump does not
    // read from it. `handler` may be null. Both belong to the caller and must live as long as the pump.
    BlockingPump(int stop_fd, FdHandler* handler);
    ~BlockingPump() = default;

    // Answers the survey. To be called before the pump is listed, and before run(). Pumps of the process pass questions
    // on; without any, this one looks for them from time to time. `survey` outlives the pump.
    void answer(SurveyRespondent& survey) noexcept;

    // Drives the tunnel until it is done and its observer has been called. Blocks until then. Called once. `opening`
    // ends when the loop has the tunnel.
    void run(std::unique_ptr<Tunnel> tunnel, OpeningTunnel opening = {}) noexcept;

  private:
    const std::vector<Poller::Event>& wait(DurationUs timeout) noexcept override;
    bool watch(Tunnel& tunnel) noexcept override;
    void unwatch(Tunnel& tunnel) noexcept override;
    void unwatch_stop() noexcept override { stop_fd_ = -1; }
    TunnelRow::Mode mode() const noexcept override { return TunnelRow::Mode::blocking; }

    std::vector<Poller::Event> events_;
    const Tunnel* tunnel_ = nullptr;  // valid until it is done
    int stop_fd_;
    FdHandler* handler_;
    bool failed_ = false;  // poll() has failed
    std::uint8_t scratch_memory_[16 * 1024];
};

}  // namespace wsp
