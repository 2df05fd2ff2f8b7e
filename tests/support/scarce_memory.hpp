// Memory that runs out: lets one operator new of the unit tests fail, in whatever thread it is.
#pragma once

#include <cstddef>
#include <new>

namespace wsp::test {

// While it lives allocations are counted, from 1, and the nth fails. One at a time.
class ScarceMemory {
  public:
    explicit ScarceMemory(std::size_t nth) noexcept;
    ~ScarceMemory();
    ScarceMemory(const ScarceMemory&) = delete;
    ScarceMemory& operator=(const ScarceMemory&) = delete;

    // The nth has come.
    static bool has_failed() noexcept;
};

// False with a sanitizer whose operator new without exceptions does not ask ours: such allocations never fail.
inline bool nothrow_can_fail() noexcept {
    const ScarceMemory scarce(1);
    delete new (std::nothrow) int;
    return ScarceMemory::has_failed();
}

// Goes through `story` with its first allocation failing, its second, and so on to its last; the story itself says, with a
// ScarceMemory(nth), for which part of it memory is scarce. Returns how many there were.
template <class Story>
std::size_t each_allocation_fails(Story story) {
    std::size_t nth = 0;
    do {
        story(++nth);
    } while (ScarceMemory::has_failed());
    return nth - 1;
}

}  // namespace wsp::test
