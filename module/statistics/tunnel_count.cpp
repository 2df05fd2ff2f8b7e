// Which numbers a tunnel changes.
#include "statistics/tunnel_count.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "protocol/close_code.hpp"

namespace wsp {
namespace {

enum Way : std::size_t { kIn, kOut };  // the cells of messages and bytes

}  // namespace

TunnelCount TunnelCount::opened(Series& series, DurationUs handshake) noexcept {
    series.counters.add(Metric::opened);
    series.counters.observe(Metric::handshake_time, handshake);
    return TunnelCount(series);
}

TunnelCount TunnelCount::arrived(Series& series) noexcept {
    series.counters.add(Metric::arrived);
    return TunnelCount(series);
}

TunnelCount::TunnelCount(TunnelCount&& from) noexcept
    : series_(from.series_),
      held_(std::exchange(from.held_, 0U)),
      is_live_(std::exchange(from.is_live_, false)) {}

TunnelCount::~TunnelCount() {
    TunnelReport report;
    report.reason = EndReason::out_of_memory;
    report.close_code = kCloseAbnormal;
    note_end(report);
}

void TunnelCount::note_early(std::uint64_t bytes) noexcept {
    series_->counters.add(Metric::bytes, bytes, kIn);
}

void TunnelCount::note_traffic(const Traffic& more) noexcept {
    SeriesCounters& counters = series_->counters;
    counters.add(Metric::messages, more.messages_in, kIn);
    counters.add(Metric::messages, more.messages_out, kOut);
    counters.add(Metric::bytes, more.bytes_in, kIn);
    counters.add(Metric::bytes, more.bytes_out, kOut);
}

void TunnelCount::note_pong(DurationUs round_trip) noexcept {
    series_->counters.observe(Metric::ping_rtt, round_trip);
}

void TunnelCount::note_held(std::uint64_t bytes) noexcept {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    const std::int64_t before = held_;
    held_ = static_cast<std::uint32_t>(std::min(bytes, kMost));
    series_->counters.adjust(Metric::held_bytes, held_ - before);
}

void TunnelCount::describe(TunnelDescription& to) const noexcept {
    to.vhost = series_->labels.vhost;
    to.backend = series_->labels.backend;
}

void TunnelCount::note_end(const TunnelReport& report) noexcept {
    if (std::exchange(is_live_, false)) {
        note_held(0);
        series_->counters.count_end(static_cast<std::size_t>(report.reason), report.close_code,
                                    report.duration, monotonic_now());
    }
}

void TunnelCount::note_left() noexcept {
    if (std::exchange(is_live_, false)) {
        note_held(0);
        series_->counters.add(Metric::left);
    }
}

}  // namespace wsp
