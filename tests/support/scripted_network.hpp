// A network without sockets and a clock without time, for a ConnectionPool.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "pool/connection_pool.hpp"

namespace wsp::test {

// Connections that live and die as the test says.
class ScriptedNetwork {
  public:
    class Connection final : public PooledConnection {
      public:
        Connection(ScriptedNetwork& network, int fd) : network_(network), fd_(fd) {
            ++network_.open;
        }
        ~Connection() override {
            if (network_.on_close) {
                network_.on_close();
            }
            --network_.open;
        }
        bool is_alive() noexcept override {
            ++network_.peeks;
            if (network_.on_peek) {
                network_.on_peek();
            }
            return alive;
        }
        int fd() const noexcept override { return fd_; }

        bool alive = true;

      private:
        ScriptedNetwork& network_;
        int fd_;
    };

    std::unique_ptr<Connection> connect() { return std::make_unique<Connection>(*this, next_fd++); }

    int open = 0;
    int peeks = 0;
    int next_fd = 100;
    std::function<void()> on_peek;   // while a connection is looked at
    std::function<void()> on_close;  // while one is being closed
};

// Time passes when the test says so, or when somebody waits in vain.
class ScriptedClock final : public PoolClock {
  public:
    MonotonicUs now() noexcept override { return time; }
    bool wait(std::unique_lock<std::mutex>& lock, std::condition_variable&,
              MonotonicUs deadline) override {
        ++waits;
        if (meanwhile.empty()) {
            time = deadline;
            return false;
        }
        const std::function<void()> event = std::move(meanwhile.front());
        meanwhile.pop_front();
        lock.unlock();
        event();
        lock.lock();
        return time < deadline;
    }

    MonotonicUs time = 1000 * kSecond;
    int waits = 0;
    std::deque<std::function<void()>> meanwhile;  // what happens while somebody waits, one each
};

}  // namespace wsp::test
