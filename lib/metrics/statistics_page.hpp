// The statistics of the whole server: a piece of memory that all its processes share, for as long as the server runs
// and across all generations of child processes.
//
// A series is one virtual host with one backend. Each child process counts in blocks of its own, one for each series
// that it has tunnels or handshakes of, so processes never wait for each other. When a child is gone, whatever has
// ended it, the parent process folds its blocks into the past of their series: counters go on, gauges vanish, and the
// tunnels that lived in it are counted as ended. So "opened minus ended" are the tunnels that are open, at any time.
//
// The parent may be root, and a child may have been taken over by an attacker: so the parent takes nothing in the page
// for granted. Nothing in the page is an address. It is as large as it can ever become, and what is not used is never
// touched. Any thread of any process, unless a function says otherwise. Nothing blocks; only read() allocates.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "metrics/series_counters.hpp"
#include "metrics/snapshot.hpp"

namespace wsp {

class StatisticsPage {
  public:
    using Id = SeriesCounters::Id;
    static constexpr std::size_t kSeries = 2048;
    static constexpr std::size_t kBlocks = 16384;
    // What belongs to no backend: metrics of MetricScope::server.
    static constexpr Id kServer = 0;
    // Everything that there is no room for.
    static constexpr Id kOther = 1;
    static constexpr std::string_view kOtherLabel = "other";
    // A longer label is cut, and its hash follows.
    static constexpr std::size_t kLongestLabel = 375;

    // A page whose layout() differs is another page: cells would have another meaning. `names`: a hash of what the
    // cells of labels with names stand for.
    static std::uint64_t layout(std::uint64_t names) noexcept;
    // The page in `memory` of sizeof(StatisticsPage) bytes, which were zeroed when the server began.
    static StatisticsPage& in(void* memory) noexcept {
        return *static_cast<StatisticsPage*>(memory);
    }
    // Seconds since 1970. Only the first call counts.
    void begin(std::int64_t now) noexcept;

    // --- a child process ----------------------------------------------------------------------

    // The series with these labels; kOther when there is no room for another one.
    Id series(std::string_view vhost, std::string_view backend) noexcept;
    // A block of the process's own, or where none is left that of the series' past: counters are right there, gauges
    // are left out, and if the process dies its tunnels stay open. To be called once for each series. An `id` that is
    // no series' counts as kOther.
    SeriesCounters counters(pid_t child, Id id) noexcept;

    // The labels of a series as everybody sees them. May throw bad_alloc.
    struct Labels {
        std::string vhost;
        std::string backend;
    };
    Labels labels(Id id) const;

    // --- the parent process, one thread -------------------------------------------------------

    // The child is gone. `gone`: the cell of Metric::ended for the tunnels that have ended with it.
    void fold(pid_t child, std::size_t gone, MonotonicUs now) noexcept;
    // A child that is killed while a tunnel is on its way may leave it counted nowhere or twice. To be called now and
    // then; `none_under_way`: nothing that was sent is still to be received. What does not add up for two calls in a
    // row, kSettled apart or more, is set right: a tunnel that has not arrived has ended, one that has arrived and not
    // left has been opened once more.
    void settle_moves(bool none_under_way, std::size_t gone, MonotonicUs now) noexcept;
    static constexpr DurationUs kSettled = 2 * kSecond;

    // --- everybody ----------------------------------------------------------------------------

    // The sums. `wall_clock`: seconds since 1970. May throw bad_alloc.
    ServerSnapshot read(MonotonicUs now, std::int64_t wall_clock) const;

  private:
    static constexpr std::size_t kTextWords = 96;
    // All that have ever left and arrived.
    struct Moves {
        std::uint64_t left;
        std::uint64_t arrived;
        bool operator==(const Moves& other) const noexcept {
            return left == other.left && arrived == other.arrived;
        }
    };
    struct Series {
        std::atomic<std::uint64_t> name;              // a hash of both labels; 0: free
        std::atomic<std::uint64_t> ready;             // the text is there
        std::atomic<std::uint64_t> text[kTextWords];  // vhost, NUL, backend, NUL
        Moves seen;  // by the last settle_moves(), which alone uses it
    };
    struct Sums;

    void write_labels(Series& series, std::string_view vhost, std::string_view backend) noexcept;
    void fold_block(std::size_t block, std::size_t gone, MonotonicUs now) noexcept;
    void settle(Id id, const Moves& moves, std::size_t gone, MonotonicUs now) noexcept;
    void add_up(Sums& to) const;
    std::size_t series_in_use() const noexcept;
    std::size_t blocks_in_use() const noexcept {
        return std::min<std::size_t>(blocks_in_use_.load(), kBlocks);
    }

    // The owner of a block: the process, and the series and 1. 0: the block is free, and its cells are 0.
    static std::uint64_t owner_of(pid_t child, Id id) noexcept {
        return std::uint64_t{static_cast<std::uint32_t>(child)} << 32 | (id + 1);
    }
    static std::uint32_t process_in(std::uint64_t owner) noexcept {
        return static_cast<std::uint32_t>(owner >> 32);
    }
    static Id series_in(std::uint64_t owner) noexcept { return static_cast<Id>(owner) - 1; }

    std::atomic<std::int64_t> started_at_;
    std::atomic<std::uint64_t> folds_;          // odd: the parent moves numbers just now
    std::atomic<std::uint64_t> blocks_in_use_;  // of blocks_ that have ever been used
    std::atomic<std::int64_t> settled_at_;      // the last settle_moves()
    std::atomic<std::uint64_t> none_was_under_way_;
    MinuteRing minutes_;
    Series series_[kSeries];
    std::atomic<std::uint64_t> owners_[kBlocks];
    CellBlock past_[kSeries];
    CellBlock blocks_[kBlocks];
};

}  // namespace wsp
