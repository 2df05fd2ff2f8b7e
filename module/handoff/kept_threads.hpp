// ProxyWebsocketMaxBlockingTunnels: how many tunnels of a child process may keep their threads, and from how many on new HTTP/2
// connections are not offered WebSockets any more.
//
// Threads: any. The count is one atomic number.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "base/log_rate_limit.hpp"
#include "httpd/httpd.hpp"

namespace wsp {

struct KeptThreadLimits {
    std::int64_t offers = 0;  // with so many tunnels HTTP/2 connections are offered no more
    std::int64_t most = 0;    // no handshake beyond; 0: neither limit
};

// post_config: finds out what the directive says, or else what fits this server, and whether H2WebSockets is on somewhere; and
// tells the administrator what follows from it. Main thread; the children know it too.
void learn_kept_threads(server_rec* main_server);

class KeptThreads {
  public:
    KeptThreads();  // as learned

    // One tunnel that keeps its thread, or is about to. Movable; any thread, one at a time.
    class Permit {
      public:
        Permit() noexcept = default;
        Permit(Permit&& from) noexcept : all_(std::exchange(from.all_, nullptr)) {}
        Permit& operator=(Permit&& from) noexcept {
            std::swap(all_, from.all_);
            return *this;
        }
        Permit(const Permit&) = delete;
        Permit& operator=(const Permit&) = delete;
        ~Permit();

        // False when there are as many as may be.
        [[nodiscard]] bool take(KeptThreads& all) noexcept;
        // Of a tunnel that turns out to keep its thread when it is open: it counts, however many there are.
        void take_anyway(KeptThreads& all) noexcept;

      private:
        KeptThreads* all_ = nullptr;
    };

    std::int64_t live() const noexcept { return live_.load(); }
    const KeptThreadLimits& limits() const noexcept { return limits_; }
    // A new HTTP/2 connection is not to be offered WebSockets. Says so in the log now and then.
    bool withholds_offer() noexcept;

  private:
    KeptThreadLimits limits_;
    bool http2_;  // H2WebSockets is on somewhere
    std::atomic<std::int64_t> live_{0};
    LogRateLimit withheld_{1};
};

}  // namespace wsp
