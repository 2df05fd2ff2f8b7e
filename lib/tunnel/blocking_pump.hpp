// A loop of one tunnel on the calling thread, for where a connection cannot leave httpd: HTTP/2 streams,
// foreign filters, ProxyWebsocketAsync Off. It waits with poll(2), and asks the streams for their descriptors each time: httpd may
// put another one into a connection (FilterStream::fd).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "tunnel/tunnel_loop.hpp"

namespace wsp {

// Something that only the thread of a blocking pump can see, such as a signal that it holds off.
class FdHandler {
  public:
    virtual ~FdHandler() = default;
    // Readable when on_readable() is to be called; -1: no more. Asked before each wait.
    virtual int fd() const noexcept = 0;
    // On the loop's thread; may give the loop commands.
    virtual void on_readable() noexcept = 0;
};

class BlockingPump final : public TunnelLoop {
  public:
    // Once `stop_fd` is readable the tunnel is ended as by close_all(ClosePlan::stop()); -1: none. Nobody reads from it. `handler`
    // may be null. Both are the caller's, for as long as the pump.
    BlockingPump(int stop_fd, FdHandler* handler);
    ~BlockingPump() = default;

    // Drives the tunnel until it is done and its observer has been told. Blocks for that long. Called once.
    void run(std::unique_ptr<Tunnel> tunnel) noexcept;

  private:
    const std::vector<Poller::Event>& wait(DurationUs timeout) noexcept override;
    bool watch(Tunnel& tunnel) noexcept override;
    void unwatch(Tunnel& tunnel) noexcept override;
    void unwatch_stop() noexcept override { stop_fd_ = -1; }

    std::vector<Poller::Event> events_;
    const Tunnel* tunnel_ = nullptr;  // until it is done
    int stop_fd_;
    FdHandler* handler_;
    bool failed_ = false;  // poll() has
    std::uint8_t scratch_memory_[16 * 1024];
};

}  // namespace wsp
