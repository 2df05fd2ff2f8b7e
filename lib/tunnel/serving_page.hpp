// Who serves now: a piece of memory that all processes of a server share, for as long as the server runs. The parent
// process makes it, and writes in it what its newest generation of child processes can take over. The children write in
// it that they serve. A child that leaves reads whether somebody can take its tunnels.
//
// Nothing in it is an address, and nothing belongs to a process: a child that is killed leaves a row behind, and the
// parent removes it. The parent may be root, and a child may have been taken over by an attacker: so the parent takes
// nothing in it for granted. Any process, any thread; everything is atomic, and nothing blocks or allocates, but make()
// and publish().
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace wsp {

class ServingPage {
  public:
    // Of the server's configuration: the MPM counts restarts.
    using Generation = std::int32_t;
    // Of what a tunnel belongs to in the configuration. Never 0.
    using Name = std::uint64_t;
    // A module that makes a page of another layout must not find this one.
    static constexpr unsigned kLayout = 1;

    // In anonymous shared memory, which child processes inherit. It is never given back. Null without memory.
    static ServingPage* make() noexcept;

    // --- the parent process -------------------------------------------------------------------

    // What children of this generation can take over: tunnels in the format `build` (0: none at all) that belong to one
    // of `names`. Returns how many names there was no room for.
    std::size_t publish(Generation generation, std::uint64_t build,
                        const std::vector<Name>& names) noexcept;
    // The child process is gone.
    void forget(pid_t child) noexcept;

    // --- a child process ----------------------------------------------------------------------

    // It takes over tunnels from now on. False when there is no row left; nobody knows then that it does.
    bool begin_serving(pid_t child, Generation generation) noexcept;
    void end_serving(pid_t child) noexcept { forget(child); }

    // The format of this generation, or kUnknown: it has not been published, or is being published just now.
    std::uint64_t build_of(Generation generation) const noexcept;
    static constexpr std::uint64_t kUnknown = ~std::uint64_t{0};
    // Whether the generation that is published has the name.
    bool has(Name name) const noexcept;
    // Whether a child process of this generation serves.
    bool is_served(Generation generation) const noexcept;

    // How many tunnels have been sent and not received. One more or less for each process that was killed while it sent
    // or received.
    void note_sent(int tunnels) noexcept { under_way_.fetch_add(tunnels); }
    void note_received() noexcept { under_way_.fetch_sub(1); }
    bool is_any_under_way() const noexcept { return under_way_.load() > 0; }
    // No fewer than there are: sending is noted before, receiving afterwards.
    std::uint64_t under_way() const noexcept {
        const std::int64_t tunnels = under_way_.load();
        return tunnels > 0 ? static_cast<std::uint64_t>(tunnels) : 0;
    }

  private:
    static constexpr std::size_t kNames = 32768;    // a power of two; at most half of them are used
    static constexpr std::size_t kChildren = 4096;  // rows
    static std::uint64_t row_of(pid_t child, Generation generation) noexcept {
        return std::uint64_t{static_cast<std::uint32_t>(child)} << 32 |
               static_cast<std::uint32_t>(generation);
    }
    static std::uint64_t mark_of(Generation generation) noexcept {
        return std::uint64_t{static_cast<std::uint32_t>(generation)} + 1;
    }
    void put(Name name, std::size_t places) noexcept;
    std::size_t rows_in_use() const noexcept {
        return std::min<std::size_t>(rows_.load(), kChildren);
    }

    static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "other processes see it");

    std::atomic<std::uint64_t> published_;  // the generation and 1; 0: none
    std::atomic<std::uint64_t> build_;
    // A hash table with open addressing. It has as many places as its names need, so that what is not needed is never
    // touched.
    std::atomic<std::uint64_t> places_;
    std::atomic<std::int64_t> under_way_;
    std::atomic<std::uint64_t> rows_;  // of children_ that have ever been used
    std::atomic<std::uint64_t> children_[kChildren];
    std::atomic<Name> names_[kNames];
};

}  // namespace wsp
