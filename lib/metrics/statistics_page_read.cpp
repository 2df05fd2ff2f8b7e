// Adding up, and the snapshot.
#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>
#include <utility>
#include <vector>

#include "metrics/statistics_page.hpp"

namespace wsp {
namespace {

// How often a reader begins again because the parent folds. After that it takes what it has: the parent may have been
// killed in between.
constexpr int kMostReads = 100;

}  // namespace

struct StatisticsPage::Sums {
    std::vector<std::array<std::uint64_t, kCells>> series;
    std::vector<std::uint32_t> processes;
};

std::size_t StatisticsPage::series_in_use() const noexcept {
    const auto* const end = series_ + kSeries;
    return static_cast<std::size_t>(
        std::find_if(
            series_ + kOther + 1, end,
            [](const Series& series) { return series.name.load(std::memory_order_relaxed) == 0; }) -
        series_);
}

// The last cell first: a tunnel whose end is read has been read as opened, if it stayed in one process.
void StatisticsPage::add_up(Sums& to) const {
    to.series.assign(series_in_use(), {});
    to.processes.clear();
    const auto add = [&](Id id, const CellBlock& block) {
        for (std::size_t cell = kCells; cell-- > 0;) {
            to.series[id][cell] += block.cells[cell].load(std::memory_order_acquire);
        }
    };
    const std::size_t used = blocks_in_use();
    for (std::size_t i = 0; i < used; ++i) {
        const std::uint64_t owner = owners_[i].load(std::memory_order_acquire);
        if (owner != 0 && series_in(owner) < to.series.size()) {
            add(series_in(owner), blocks_[i]);
            to.processes.push_back(process_in(owner));
        }
    }
    for (Id id = 0; id < to.series.size(); ++id) {
        add(id, past_[id]);
    }
}

StatisticsPage::Labels StatisticsPage::labels(Id id) const {
    if (id == kOther) {
        return {std::string(kOtherLabel), std::string(kOtherLabel)};
    }
    char text[kTextWords * sizeof(std::uint64_t) + 2] = {};  // both labels end, whatever is there
    for (std::size_t i = 0; i < kTextWords; ++i) {
        const std::uint64_t word = series_[id].text[i].load(std::memory_order_relaxed);
        std::memcpy(text + i * sizeof word, &word, sizeof word);
    }
    Labels labels;
    labels.vhost = text;
    labels.backend = text + labels.vhost.size() + 1;
    return labels;
}

ServerSnapshot StatisticsPage::read(MonotonicUs now, std::int64_t wall_clock) const {
    Sums sums;
    for (int i = 0; i < kMostReads; ++i) {
        const std::uint64_t before = folds_.load();
        add_up(sums);
        if (before % 2 == 0 && folds_.load() == before) {
            break;
        }
    }
    ServerSnapshot snapshot;
    snapshot.taken_at = wall_clock;
    snapshot.started_at = started_at_.load();
    snapshot.server.cells = sums.series[kServer];
    for (Id id = kOther; id < sums.series.size(); ++id) {
        const auto& cells = sums.series[id];
        const bool is_there =
            id != kOther ? series_[id].ready.load(std::memory_order_acquire) != 0
                         : std::any_of(cells.begin(), cells.end(), [](auto n) { return n != 0; });
        if (is_there) {
            SeriesSnapshot& series = snapshot.series.emplace_back();
            Labels names = labels(id);
            series.vhost = std::move(names.vhost);
            series.backend = std::move(names.backend);
            series.cells = cells;
        }
    }
    std::sort(snapshot.series.begin(), snapshot.series.end(), [](const auto& a, const auto& b) {
        return std::tie(a.vhost, a.backend) < std::tie(b.vhost, b.backend);
    });
    const std::uint32_t minute = MinuteRing::minute_of(now);
    for (std::uint32_t ago = 0; ago < MinuteRing::kMinutes && ago <= minute; ++ago) {
        for (std::size_t reason = 0; reason < MinuteRing::kReasons; ++reason) {
            snapshot.ended_by_minute[ago].ended[reason] = minutes_.at(minute - ago, reason);
        }
    }
    std::sort(sums.processes.begin(), sums.processes.end());
    snapshot.children = static_cast<std::size_t>(
        std::unique(sums.processes.begin(), sums.processes.end()) - sums.processes.begin());
    return snapshot;
}

}  // namespace wsp
