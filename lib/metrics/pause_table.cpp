// Entries are claimed by compare-and-swap, and published by the state that follows.
#include "metrics/pause_table.hpp"

#include <cstring>

#include "metrics/series_names.hpp"

namespace wsp {

template <class Entries, class Visit>
bool PauseTable::any_of(Entries& entries, Visit visit) noexcept {
    for (auto& entry : entries) {
        const std::uint32_t state = entry.state.load(std::memory_order_acquire);
        if (state == unused) {
            return false;
        }
        if (state != being_written && visit(entry, state)) {
            return true;
        }
    }
    return false;
}

bool PauseTable::pause(std::string_view vhost, std::string_view backend) noexcept {
    if (vhost.size() > kLongestLabel || backend.size() > kLongestLabel) {
        return false;
    }
    const bool known = any_of(entries_, [&](Entry& entry, std::uint32_t) {
        const bool same = entry.vhost() == vhost && entry.backend() == backend;
        if (same) {
            entry.state.store(on, std::memory_order_release);
        }
        return same;
    });
    for (std::size_t i = 0; !known && i < kEntries; ++i) {
        Entry& entry = entries_[i];
        std::uint32_t expected = unused;
        if (entry.state.compare_exchange_strong(expected, being_written)) {
            entry.vhost_size = static_cast<std::uint16_t>(vhost.size());
            entry.backend_size = static_cast<std::uint16_t>(backend.size());
            std::memcpy(entry.text.data(), vhost.data(), vhost.size());
            std::memcpy(entry.text.data() + vhost.size(), backend.data(), backend.size());
            entry.state.store(on, std::memory_order_release);
            return true;
        }
    }
    return known;
}

bool PauseTable::resume(std::string_view vhost, std::string_view backend) noexcept {
    bool found = false;
    // Two that were made at the same moment may be equal.
    any_of(entries_, [&](Entry& entry, std::uint32_t state) {
        if (state == on && entry.vhost() == vhost && entry.backend() == backend) {
            entry.state.store(off, std::memory_order_release);
            found = true;
        }
        return false;
    });
    return found;
}

std::size_t PauseTable::resume_all() noexcept {
    std::size_t ended = 0;
    any_of(entries_, [&](Entry& entry, std::uint32_t) {
        ended += entry.state.exchange(off) == on ? 1 : 0;
        return false;
    });
    return ended;
}

bool PauseTable::is_paused(std::string_view vhost, std::string_view backend) const noexcept {
    return any_of(entries_, [&](const Entry& entry, std::uint32_t state) {
        return state == on && (entry.vhost_size == 0 || names_vhost(entry.vhost(), vhost)) &&
               (entry.backend_size == 0 || names_backend(entry.backend(), backend));
    });
}

std::vector<PauseTable::Pause> PauseTable::list() const {
    std::vector<Pause> pauses;
    for (const Entry& entry : entries_) {
        if (entry.state.load(std::memory_order_acquire) == on) {
            pauses.push_back({std::string(entry.vhost()), std::string(entry.backend())});
        }
    }
    return pauses;
}

}  // namespace wsp
