// Histograms, ends, and the minutes of the last hour.
#include "metrics/series_counters.hpp"

#include <algorithm>

namespace wsp {
namespace {

std::uint32_t minute_in(std::uint64_t cell) {
    return static_cast<std::uint32_t>(cell >> 32);
}

}  // namespace

// Who has read the clock a moment earlier may come when the next hour's minute has begun. It is counted there.
void MinuteRing::add(std::size_t reason, std::uint32_t count, MonotonicUs now) noexcept {
    const std::uint32_t minute = minute_of(now);
    std::atomic<std::uint64_t>& cell = cells[minute % kMinutes][reason];
    std::uint64_t seen = cell.load(std::memory_order_relaxed);
    std::uint64_t next = 0;
    do {
        const bool is_old = minute_in(seen) < minute;
        next = (is_old ? std::uint64_t{minute} << 32 : seen) + count;
    } while (!cell.compare_exchange_weak(seen, next, std::memory_order_relaxed));
}

std::uint32_t MinuteRing::at(std::uint32_t minute, std::size_t reason) const noexcept {
    const std::uint64_t cell = cells[minute % kMinutes][reason].load(std::memory_order_relaxed);
    return minute_in(cell) == minute ? static_cast<std::uint32_t>(cell) : 0;
}

void SeriesCounters::observe(Metric histogram, DurationUs time) noexcept {
    if (block_ != nullptr) {
        const DurationUs counted = std::max<DurationUs>(time, 0);
        const std::size_t first = first_cell(histogram);
        add_to(first + bucket_of(counted), 1);
        add_to(first + kBuckets, static_cast<std::uint64_t>(counted));
    }
}

void SeriesCounters::count_end(std::size_t reason, std::uint16_t close_code, DurationUs lifetime,
                               MonotonicUs now) noexcept {
    add(Metric::ended, 1, reason);
    add(Metric::close_codes, 1, cell_of_close_code(close_code));
    observe(Metric::lifetime, lifetime);
    if (minutes_ != nullptr) {
        minutes_->add(reason, 1, now);
    }
}

}  // namespace wsp
