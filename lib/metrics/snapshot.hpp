// The statistics of the whole server at one moment: values that nobody else changes. One owner, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "metrics/metrics.hpp"

namespace wsp {

// The numbers of one virtual host with one backend, summed over all child processes that are or were.
struct SeriesSnapshot {
    std::string vhost;  // "www.example.com:443"
    // "ws://127.0.0.1:8000", or with a balancer "balancer://chat ws://127.0.0.1:8000"
    std::string backend;
    bool paused = false;  // takes no new tunnels
    std::array<std::uint64_t, kCells> cells{};

    std::uint64_t at(Metric metric, std::size_t cell = 0) const noexcept {
        return cells[first_cell(metric) + cell];
    }
    std::uint64_t sum(Metric metric) const noexcept;
    // Opened and not ended. Never negative, though the numbers are read one after the other.
    std::uint64_t open() const noexcept;
};

struct ServerSnapshot {
    std::vector<SeriesSnapshot> series;  // by virtual host, then backend
    // Metrics of MetricScope::server; the others are 0.
    SeriesSnapshot server;
    // What has ended, by reason, in each of the last 60 minutes; [0] is the current one.
    struct Minute {
        std::array<std::uint32_t, 32> ended{};
    };
    std::array<Minute, 60> ended_by_minute{};
    std::int64_t taken_at = 0;    // seconds since 1970
    std::int64_t started_at = 0;  // the same: since when is counted; httpd's start
    std::size_t children = 0;     // that hold tunnels or have
};

}  // namespace wsp
