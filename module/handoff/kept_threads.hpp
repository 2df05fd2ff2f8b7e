// ProxyWebsocketMaxBlockingTunnels: how many tunnels of a child process may keep their threads. At a lower number of
// them, new HTTP/2 connections are no longer offered WebSockets.
//
// Threads: any. The count is one atomic number.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/log_rate_limit.hpp"
#include "httpd/httpd.hpp"

namespace wsp {

struct KeptThreadLimits {
    std::int64_t offers = 0;  // with so many tunnels HTTP/2 connections are offered no more
    std::int64_t most = 0;    // no handshake beyond; 0: neither limit
};

// post_config: takes the limits from the directive, or else computes what fits this server. Looks whether H2WebSockets
// is on anywhere, and tells the administrator what that means. Main thread; child processes inherit the result.
void learn_kept_threads(server_rec* main_server);

class KeptThreads {
  public:
    KeptThreads();  // as learned

    // One tunnel that keeps its thread, or is about to; it counts until the permit goes. Movable; any thread, one at a
    // time.
    struct GiveBack {
        void operator()(KeptThreads* to) const noexcept { to->live_.fetch_sub(1); }
    };
    using Permit = std::unique_ptr<KeptThreads, GiveBack>;

    // Null when the limit is reached.
    [[nodiscard]] Permit take() noexcept;
    // Whatever the limit: for a tunnel of which it is known only after the handshake that it keeps its thread.
    [[nodiscard]] Permit take_anyway() noexcept;

    std::int64_t live() const noexcept { return live_.load(); }
    const KeptThreadLimits& limits() const noexcept { return limits_; }
    // True when a new HTTP/2 connection must not be offered WebSockets. Logs that, limited in rate.
    bool withholds_offer() noexcept;

  private:
    KeptThreadLimits limits_;
    bool http2_;  // H2WebSockets is on somewhere
    std::atomic<std::int64_t> live_{0};
    LogRateLimit withheld_{1};
};

}  // namespace wsp
