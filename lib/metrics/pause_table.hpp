// Which virtual hosts and backends take no new tunnels. In memory that all processes of the server share, and that
// outlives restarts: a pause lasts until somebody ends it, or httpd is stopped. Nothing in it is an address.
//
// An entry is a virtual host, a backend, or one with the other, named as people name them (series_names.hpp). It is
// written once, and then only switched on and off. So readers never wait. Any thread of any process; nothing allocates
// or blocks, but list().
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wsp {

class PauseTable {
  public:
    static constexpr std::size_t kEntries = 256;
    static constexpr std::size_t kLongestLabel = 375;  // as StatisticsPage
    // Changes when the memory's meaning does.
    static constexpr std::uint64_t kLayout = 1;

    // The table in memory that was zeroed when the server began.
    static PauseTable& in(void* memory) noexcept { return *static_cast<PauseTable*>(memory); }

    // An empty name stands for all of them. False: a name is too long, or so many different pauses have been made that
    // there is no room.
    bool pause(std::string_view vhost, std::string_view backend) noexcept;
    // Ends the pause with exactly these names. False: there is none.
    bool resume(std::string_view vhost, std::string_view backend) noexcept;
    // Ends all pauses. Returns how many.
    std::size_t resume_all() noexcept;

    // By the labels of a series.
    bool is_paused(std::string_view vhost, std::string_view backend) const noexcept;

    struct Pause {
        std::string vhost;
        std::string backend;
    };
    std::vector<Pause> list() const;

  private:
    enum State : std::uint32_t { unused, being_written, off, on };
    struct Entry {
        std::atomic<std::uint32_t> state;
        std::uint16_t vhost_size;
        std::uint16_t backend_size;
        std::array<char, 2 * kLongestLabel> text;

        std::string_view vhost() const noexcept { return {text.data(), vhost_size}; }
        std::string_view backend() const noexcept {
            return {text.data() + vhost_size, backend_size};
        }
    };
    // Calls visit(entry, state) for all that have been written, until it returns true. Entries are used in their order.
    template <class Entries, class Visit>
    static bool any_of(Entries& entries, Visit visit) noexcept;

    std::array<Entry, kEntries> entries_;
};

}  // namespace wsp
