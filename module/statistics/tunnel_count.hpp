// One tunnel, as this process counts it: from its 101, or from its arrival from another process, until it ends here or
// leaves. Whatever way a tunnel goes, it is counted once each.
#pragma once

#include <cstdint>

#include "metrics/tunnel_row.hpp"
#include "statistics/statistics.hpp"
#include "tunnel/report.hpp"

namespace wsp {

// Belongs to whoever has the tunnel; movable; one thread at a time. Nothing blocks, allocates or throws. The series
// lives as long as the process.
class TunnelCount {
  public:
    // A tunnel whose 101 has just been sent, so long after the client has asked for it.
    static TunnelCount opened(Series& series, DurationUs handshake) noexcept;
    // One that another process has sent.
    static TunnelCount arrived(Series& series) noexcept;

    TunnelCount(TunnelCount&& from) noexcept;
    TunnelCount& operator=(TunnelCount&&) = delete;
    // A tunnel that has got lost on its way through httpd has ended.
    ~TunnelCount();

    // What the client has sent behind its handshake, and httpd has read.
    void note_early(std::uint64_t bytes) noexcept;
    void note_traffic(const Traffic& more) noexcept;
    void note_pong(DurationUs round_trip) noexcept;
    // So many bytes wait in the tunnel now.
    void note_held(std::uint64_t bytes) noexcept;
    void note_end(const TunnelReport& report) noexcept;
    void note_left() noexcept;

    // Its virtual host and backend.
    void describe(TunnelDescription& to) const noexcept;

    const Series& series() const noexcept { return *series_; }

  private:
    explicit TunnelCount(Series& series) noexcept : series_(&series) {}

    Series* series_;
    std::uint32_t held_ = 0;  // as the gauge has been told; at most 4 GiB
    bool is_live_ = true;     // false: it has ended, left, or is counted by somebody else
};

}  // namespace wsp
