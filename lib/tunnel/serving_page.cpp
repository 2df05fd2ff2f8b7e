// The table of names, the rows of children, and the order in which they are written.
#include "tunnel/serving_page.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <new>

namespace wsp {

ServingPage* ServingPage::make() noexcept {
    void* const memory = ::mmap(nullptr, sizeof(ServingPage), PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    // Its members are left as they are: zero, and not touched yet.
    return memory != MAP_FAILED ? new (memory) ServingPage : nullptr;
}

// Children read meanwhile. So nothing is published while the table is written.
std::size_t ServingPage::publish(Generation generation, std::uint64_t build,
                                 const std::vector<Name>& names) noexcept {
    published_.store(0);
    const std::size_t fitting = std::min(names.size(), kNames / 2);
    std::size_t places = 64;
    while (places < 2 * fitting) {
        places *= 2;
    }
    for (std::size_t i = 0; i < places; ++i) {
        names_[i].store(0);
    }
    places_.store(places);
    std::for_each_n(names.begin(), fitting, [&](Name name) { put(name, places); });
    build_.store(build);
    published_.store(mark_of(generation));
    return names.size() - fitting;
}

// Bounded, though there is always a free place: a child may write what it likes.
void ServingPage::put(Name name, std::size_t places) noexcept {
    for (std::size_t i = 0; i < places; ++i) {
        std::atomic<Name>& place = names_[(name + i) % places];
        const Name there = place.load();
        if (there == 0 || there == name) {
            place.store(name);
            return;
        }
    }
}

bool ServingPage::has(Name name) const noexcept {
    const std::size_t places = std::min<std::size_t>(places_.load(), kNames);
    // Bounded: the table may be written just now, with no free place to be seen.
    for (std::size_t i = 0; i < places; ++i) {
        const Name there = names_[(name + i) % places].load();
        if (there == 0 || there == name) {
            return there == name;
        }
    }
    return false;
}

std::uint64_t ServingPage::build_of(Generation generation) const noexcept {
    if (published_.load() != mark_of(generation)) {
        return kUnknown;
    }
    const std::uint64_t build = build_.load();
    return published_.load() == mark_of(generation) ? build : kUnknown;
}

bool ServingPage::begin_serving(pid_t child, Generation generation) noexcept {
    for (std::size_t i = 0; i < kChildren; ++i) {
        std::uint64_t free = 0;
        if (children_[i].load() == 0 &&
            children_[i].compare_exchange_strong(free, row_of(child, generation))) {
            std::uint64_t rows = rows_.load();
            while (rows < i + 1 && !rows_.compare_exchange_weak(rows, i + 1)) {
            }
            return true;
        }
    }
    return false;
}

void ServingPage::forget(pid_t child) noexcept {
    const std::size_t rows = rows_in_use();
    for (std::size_t i = 0; i < rows; ++i) {
        std::uint64_t row = children_[i].load();
        if (row >> 32 == static_cast<std::uint32_t>(child)) {
            children_[i].compare_exchange_strong(row, 0);
        }
    }
}

bool ServingPage::is_served(Generation generation) const noexcept {
    const std::size_t rows = rows_in_use();
    return std::any_of(children_, children_ + rows, [generation](const auto& row) {
        const std::uint64_t value = row.load();
        return value != 0 &&
               static_cast<std::uint32_t>(value) == static_cast<std::uint32_t>(generation);
    });
}

}  // namespace wsp
