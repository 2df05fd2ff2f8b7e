// Observers for tunnels that end on another thread: the board collects what they were told and who was destroyed.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/image.hpp"
#include "support/sockets.hpp"
#include "tunnel/report.hpp"

namespace wsp::test {

class EndBoard {
  public:
    // Room for whatever a test does: reports come from where nothing may be thrown.
    EndBoard() { reports_.reserve(4096); }
    // The board outlives it.
    std::unique_ptr<TunnelObserver> observer() { return std::make_unique<Observer>(*this); }

    bool await_reports(std::size_t count) {
        return await_that([&] { return reports_.size() >= count; });
    }
    bool await_destroyed(std::size_t count) {
        return await_that([&] { return destroyed_ >= count; });
    }
    std::vector<TunnelReport> reports() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return reports_;
    }
    std::size_t destroyed() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return destroyed_;
    }
    // Observers whose tunnels have moved away.
    std::size_t moved() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return moved_;
    }
    static constexpr std::string_view kImage = "of a board";
    std::size_t ended_by(EndReason reason) const {
        std::size_t count = 0;
        for (const TunnelReport& report : reports())
            count += report.reason == reason;
        return count;
    }

  private:
    class Observer final : public TunnelObserver {
      public:
        explicit Observer(EndBoard& board) : board_(board) {}
        ~Observer() override {
            const std::lock_guard<std::mutex> lock(board_.mutex_);
            ++board_.destroyed_;
            board_.changed_.notify_all();
        }
        bool write_image(ImageWriter& image) const noexcept override {
            image.put_bytes(kImage);
            return true;
        }
        void on_moved() noexcept override {
            const std::lock_guard<std::mutex> lock(board_.mutex_);
            ++board_.moved_;
        }
        void on_end(const TunnelReport& report) noexcept override {
            const std::lock_guard<std::mutex> lock(board_.mutex_);
            board_.reports_.push_back(report);
            board_.changed_.notify_all();
        }

      private:
        EndBoard& board_;
    };

    template <class Condition>
    bool await_that(Condition holds) {
        std::unique_lock<std::mutex> lock(mutex_);
        return changed_.wait_for(lock, std::chrono::milliseconds(kPatienceMs), holds);
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<TunnelReport> reports_;
    std::size_t destroyed_ = 0;
    std::size_t moved_ = 0;
};

}  // namespace wsp::test
