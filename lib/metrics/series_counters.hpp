// The numbers of one series (metrics.def) as one process counts them, in memory that it shares with others
// (statistics_page.hpp). Nothing here blocks, allocates or fails. Any thread: every number is an atomic of its own, and
// nobody may conclude from one of them what another one is.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "metrics/metrics.hpp"

namespace wsp {

static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "other processes see it");

// All cells of a series. A cache line belongs to one block, so processes do not slow each other down.
struct alignas(64) CellBlock {
    std::atomic<std::uint64_t> cells[kCells];
};

// How many tunnels have ended in each of the last minutes, by reason. A cell is the minute, and the number in its lower
// half. A minute's cells are those of an hour before.
struct MinuteRing {
    static constexpr std::size_t kMinutes = 60;
    static constexpr std::size_t kReasons = row_of(Metric::ended).cells;

    // `now` of the monotonic clock, which all processes share.
    static std::uint32_t minute_of(MonotonicUs now) noexcept {
        return static_cast<std::uint32_t>(now / (60 * kSecond));
    }
    void add(std::size_t reason, std::uint32_t count, MonotonicUs now) noexcept;
    std::uint32_t at(std::uint32_t minute, std::size_t reason) const noexcept;

    std::atomic<std::uint64_t> cells[kMinutes][kReasons];
};

// A value that refers to the page; copies count in the same place.
class SeriesCounters {
  public:
    // The number of a series in its page: the same in all processes.
    using Id = std::uint32_t;

    // Counts nowhere: there is no shared memory.
    SeriesCounters() noexcept = default;
    // `has_gauges` is false where the block is not the process's own.
    SeriesCounters(CellBlock& block, MinuteRing& minutes, Id id, bool has_gauges) noexcept
        : block_(&block), minutes_(&minutes), id_(id), has_gauges_(has_gauges) {}

    Id id() const noexcept { return id_; }
    // Whether the numbers are this process's alone.
    bool is_own() const noexcept { return has_gauges_; }

    void add(Metric counter, std::uint64_t count = 1, std::size_t cell = 0) noexcept {
        if (block_ != nullptr && count != 0) {
            add_to(first_cell(counter) + cell, count);
        }
    }
    // One more time in a histogram. A negative one counts as 0.
    void observe(Metric histogram, DurationUs time) noexcept;
    // `count` more times in one of its buckets, and their sum.
    void observe_some(Metric histogram, std::size_t bucket, std::uint64_t count,
                      DurationUs sum) noexcept {
        add(histogram, count, bucket);
        add(histogram, static_cast<std::uint64_t>(sum), kBuckets);
    }
    // The value of a gauge, as far as this process is concerned.
    void set(Metric gauge, std::uint64_t value, std::size_t cell = 0) noexcept {
        if (has_gauges_) {
            block_->cells[first_cell(gauge) + cell].store(value, std::memory_order_relaxed);
        }
    }
    // Changes a gauge. The sum of all changes is never negative.
    void adjust(Metric gauge, std::int64_t by, std::size_t cell = 0) noexcept {
        if (has_gauges_ && by != 0) {
            add_to(first_cell(gauge) + cell, static_cast<std::uint64_t>(by));
        }
    }
    // A tunnel has ended. `reason`: the cell of Metric::ended.
    void count_end(std::size_t reason, std::uint16_t close_code, DurationUs lifetime,
                   MonotonicUs now) noexcept;

  private:
    void add_to(std::size_t cell, std::uint64_t count) noexcept {
        block_->cells[cell].fetch_add(count, std::memory_order_relaxed);
    }

    CellBlock* block_ = nullptr;
    MinuteRing* minutes_ = nullptr;
    Id id_ = 0;
    bool has_gauges_ = false;
};

}  // namespace wsp
