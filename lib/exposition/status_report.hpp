// Everything that the status page and its formats show, at one moment. Values; one owner, any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "exposition/row_query.hpp"
#include "metrics/pause_table.hpp"
#include "metrics/snapshot.hpp"
#include "metrics/tunnel_row.hpp"

namespace wsp {

// What a metric's cell stands for, such as a reason; all of it lives for ever.
struct CellWords {
    // The value of the metric's label. Empty: nothing is counted in this cell.
    std::string_view name;
    std::string_view text;   // for people; may be empty
    std::string_view group;  // of a reason of an end: client, backend, proxy or error
};
using DescribeCell = CellWords (*)(Metric metric, std::size_t cell);

struct StatusReport {
    ServerSnapshot snapshot;
    std::vector<TunnelRow> rows;
    bool asked = true;  // the tunnels were asked for their rows, or for what they had not reported
    std::size_t left_out = 0;  // tunnels for whose rows there was no room
    std::size_t silent = 0;    // processes that did not answer in time: what they know is missing
    std::string server_name;
    std::string version;
    DescribeCell describe = nullptr;
    std::vector<PauseTable::Pause> pauses;  // that are in force
    bool acts = false;                      // the page takes orders (exposition/action_request.hpp)
    std::string action_token;               // what they need
};

// All series together.
SeriesSnapshot total_of(const ServerSnapshot& snapshot);

// How many times a histogram has counted, their sum, and their mean; kNever where there are none.
std::uint64_t count_of(const SeriesSnapshot& series, Metric histogram) noexcept;
DurationUs sum_of(const SeriesSnapshot& series, Metric histogram) noexcept;
DurationUs mean_of(const SeriesSnapshot& series, Metric histogram) noexcept;

// The bound that `share` (0 to 1) of a histogram's times do not exceed: a bucket's upper one. 0: nothing was counted.
// kNever: more than the last bound.
DurationUs quantile_of(const SeriesSnapshot& series, Metric histogram, double share) noexcept;

}  // namespace wsp
