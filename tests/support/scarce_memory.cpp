// Stands before the operator new that would be used otherwise, which may be a sanitizer's and is asked all the same.
#include "support/scarce_memory.hpp"

#include <dlfcn.h>

#include <atomic>
#include <new>

namespace wsp::test {
namespace {

constexpr std::size_t kNone = 0;
std::atomic<std::size_t> until_it_fails{kNone};
std::atomic<bool> failed{false};

bool fails_now() noexcept {
    std::size_t left = until_it_fails.load();
    while (left != kNone && !until_it_fails.compare_exchange_weak(left, left - 1)) {
    }
    if (left == 1) {
        failed = true;
    }
    return left == 1;
}

void* allocate(const char* name, std::size_t size) {
    if (fails_now()) {
        throw std::bad_alloc();
    }
    return reinterpret_cast<void* (*)(std::size_t)>(::dlsym(RTLD_NEXT, name))(size);
}

}  // namespace

ScarceMemory::ScarceMemory(std::size_t nth) noexcept {
    failed = false;
    until_it_fails = nth;
}

ScarceMemory::~ScarceMemory() {
    until_it_fails = kNone;
}

bool ScarceMemory::has_failed() noexcept {
    return failed;
}

}  // namespace wsp::test

// The other forms, those without exceptions among them, come here (libstdc++'s do, and so may a sanitizer's not: what
// they ask for then does not count).
void* operator new(std::size_t size) {
    return wsp::test::allocate("_Znwm", size);
}
void* operator new[](std::size_t size) {
    return wsp::test::allocate("_Znam", size);
}
