// Claiming series and blocks, and what the parent does when a child is gone. Reading is in statistics_page_read.cpp.
#include "metrics/statistics_page.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include "base/ascii.hpp"
#include "base/fnv1a.hpp"

namespace wsp {
namespace {

// `label`, cut to what there is room for.
std::string_view fitting(std::string_view label, char (&room)[StatisticsPage::kLongestLabel]) {
    constexpr std::size_t kHash = 17;
    if (label.size() <= sizeof room) {
        return label;
    }
    const std::size_t kept = sizeof room - kHash;
    std::memcpy(room, label.data(), kept);
    room[kept] = '~';
    const std::uint64_t hash = Fnv1a().text(label).value();
    for (std::size_t i = 1; i < kHash; ++i) {
        room[kept + i] = hex_digit(hash >> (4 * (kHash - 1 - i)));
    }
    return {room, sizeof room};
}

bool is_gauge(Metric metric) {
    return row_of(metric).type == MetricType::gauge;
}

}  // namespace

std::uint64_t StatisticsPage::layout(std::uint64_t names) noexcept {
    Fnv1a hash(names);
    hash.number(sizeof(StatisticsPage)).number(kSeries).number(kBlocks).number(kTextWords);
    for (const auto& row : rows_of<Metric>()) {
        hash.text(row.name).number(row.cells).number(static_cast<std::uint64_t>(row.type));
    }
    for (const DurationUs bound : kHistogramBounds) {
        hash.number(static_cast<std::uint64_t>(bound));
    }
    return hash.value();
}

void StatisticsPage::begin(std::int64_t now) noexcept {
    std::int64_t nothing = 0;
    started_at_.compare_exchange_strong(nothing, now);
}

// --- a child process --------------------------------------------------------------------------

// The first free place is taken by its name alone. Whoever finds it without its text writes the text, which is the same
// whoever writes it: so a child that is killed meanwhile holds up nobody.
StatisticsPage::Id StatisticsPage::series(std::string_view vhost,
                                          std::string_view backend) noexcept {
    const std::uint64_t hash = Fnv1a().text(vhost).text(backend).value();
    const std::uint64_t name = hash != 0 ? hash : 1;
    for (Id id = kOther + 1; id < kSeries; ++id) {
        std::uint64_t there = series_[id].name.load(std::memory_order_relaxed);
        if (there == 0) {
            series_[id].name.compare_exchange_strong(there, name);
        }
        if (there == 0 || there == name) {
            if (series_[id].ready.load(std::memory_order_acquire) == 0) {
                write_labels(series_[id], vhost, backend);
            }
            return id;
        }
    }
    return kOther;
}

void StatisticsPage::write_labels(Series& series, std::string_view vhost,
                                  std::string_view backend) noexcept {
    char text[kTextWords * sizeof(std::uint64_t)] = {};
    static_assert(sizeof text >= 2 * (kLongestLabel + 1));
    char room[kLongestLabel];
    char* to = text;
    for (const std::string_view label : {vhost, backend}) {
        const std::string_view shown = fitting(label, room);
        std::memcpy(to, shown.data(), shown.size());
        to += shown.size() + 1;
    }
    for (std::size_t i = 0; i < kTextWords; ++i) {
        std::uint64_t word = 0;
        std::memcpy(&word, text + i * sizeof word, sizeof word);
        series.text[i].store(word, std::memory_order_relaxed);
    }
    series.ready.store(1, std::memory_order_release);
}

SeriesCounters StatisticsPage::counters(pid_t child, Id id) noexcept {
    const Id known = id < series_in_use() ? id : kOther;
    for (std::size_t i = 0; i < kBlocks; ++i) {
        std::uint64_t free = 0;
        if (owners_[i].load(std::memory_order_relaxed) == 0 &&
            owners_[i].compare_exchange_strong(free, owner_of(child, known))) {
            std::uint64_t used = blocks_in_use_.load();
            while (used < i + 1 && !blocks_in_use_.compare_exchange_weak(used, i + 1)) {
            }
            return {blocks_[i], minutes_, known, true};
        }
    }
    return {past_[known], minutes_, known, false};
}

// --- the parent process -----------------------------------------------------------------------

void StatisticsPage::fold(pid_t child, std::size_t gone, MonotonicUs now) noexcept {
    const std::size_t used = blocks_in_use();
    for (std::size_t i = 0; i < used; ++i) {
        if (process_in(owners_[i].load()) == static_cast<std::uint32_t>(child)) {
            fold_block(i, gone, now);
        }
    }
}

// Readers begin again when they find that this has begun or ended meanwhile. Each number is released, so whoever sees
// one that has been moved also sees that the parent is at work.
void StatisticsPage::fold_block(std::size_t block, std::size_t gone, MonotonicUs now) noexcept {
    const Id claimed = series_in(owners_[block].load());
    const Id id = claimed < kSeries ? claimed : kOther;
    const auto take = [&](std::size_t cell) {
        return blocks_[block].cells[cell].exchange(0, std::memory_order_acq_rel);
    };
    const auto keep = [&](std::size_t cell, std::uint64_t count) {
        past_[id].cells[cell].fetch_add(count, std::memory_order_release);
    };
    std::array<std::uint64_t, kCells> counts;
    folds_.fetch_add(1);
    for (std::size_t i = 0; i < kMetrics; ++i) {
        const auto metric = static_cast<Metric>(i);
        for (std::size_t cell = first_cell(metric); cell < kFirstCells.of[i + 1]; ++cell) {
            counts[cell] = take(cell);
            if (!is_gauge(metric) && counts[cell] != 0) {
                keep(cell, counts[cell]);
            }
        }
    }
    const std::uint64_t came =
        counts[first_cell(Metric::opened)] + counts[first_cell(Metric::arrived)];
    const auto* const ended = &counts[first_cell(Metric::ended)];
    const std::uint64_t went = std::accumulate(ended, ended + row_of(Metric::ended).cells,
                                               counts[first_cell(Metric::left)]);
    if (came > went) {
        keep(first_cell(Metric::ended) + gone, came - went);
        minutes_.add(gone, static_cast<std::uint32_t>(came - went), now);
    }
    owners_[block].store(0, std::memory_order_release);
    folds_.fetch_add(1);
}

void StatisticsPage::settle_moves(bool none_under_way, std::size_t gone, MonotonicUs now) noexcept {
    if (now < settled_at_.load() + kSettled) {
        return;
    }
    settled_at_.store(now);
    const bool none_before = none_was_under_way_.exchange(none_under_way ? 1 : 0) != 0;
    const std::size_t count = series_in_use();
    Moves moves[kSeries] = {};
    const auto add = [&](std::size_t id, const CellBlock& block) {
        moves[id].left += block.cells[first_cell(Metric::left)].load();
        moves[id].arrived += block.cells[first_cell(Metric::arrived)].load();
    };
    const std::size_t used = blocks_in_use();
    for (std::size_t i = 0; i < used; ++i) {
        const std::uint64_t owner = owners_[i].load();
        if (owner != 0 && series_in(owner) < count) {
            add(series_in(owner), blocks_[i]);
        }
    }
    for (Id id = 0; id < count; ++id) {
        add(id, past_[id]);
        if (none_under_way && none_before && moves[id] == series_[id].seen) {
            settle(id, moves[id], gone, now);
        }
        series_[id].seen = moves[id];
    }
}

void StatisticsPage::settle(Id id, const Moves& moves, std::size_t gone, MonotonicUs now) noexcept {
    const auto add = [&](Metric metric, std::uint64_t count, std::size_t cell = 0) {
        past_[id].cells[first_cell(metric) + cell].fetch_add(count);
    };
    if (moves.left > moves.arrived) {
        const std::uint64_t lost = moves.left - moves.arrived;
        add(Metric::arrived, lost);
        add(Metric::ended, lost, gone);
        minutes_.add(gone, static_cast<std::uint32_t>(lost), now);
    } else if (moves.left < moves.arrived) {
        add(Metric::left, moves.arrived - moves.left);
        add(Metric::opened, moves.arrived - moves.left);
    }
}

}  // namespace wsp
