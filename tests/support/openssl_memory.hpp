// OpenSSL's memory, of which a test can take one piece away.
#pragma once

#include <openssl/crypto.h>

#include <cstdlib>
#include <map>
#include <string_view>

namespace wsp::test {

// How many allocations succeed until one fails; negative: all do.
inline int openssl_allocations_left = -1;

inline bool openssl_may_allocate() {
    return openssl_allocations_left < 0 || openssl_allocations_left-- > 0;
}

// The pieces that it has allocated since a MemoryWatch began, with their sizes.
inline std::map<void*, std::size_t>* openssl_pieces = nullptr;

inline void* noted(void* at, std::size_t size) {
    if (openssl_pieces != nullptr && at != nullptr) {
        (*openssl_pieces)[at] = size;
    }
    return at;
}

inline void* forgotten(void* at) {
    if (openssl_pieces != nullptr) {
        openssl_pieces->erase(at);
    }
    return at;
}

// Before OpenSSL's first allocation, so before main().
inline const bool openssl_memory_is_ours =
    CRYPTO_set_mem_functions(
        [](std::size_t size, const char*, int) -> void* {
            return openssl_may_allocate() ? noted(std::malloc(size), size) : nullptr;
        },
        [](void* at, std::size_t size, const char*, int) -> void* {
            return openssl_may_allocate() ? noted(std::realloc(forgotten(at), size), size)
                                          : nullptr;
        },
        [](void* at, const char*, int) { std::free(forgotten(at)); }) == 1;

// While it lives, what OpenSSL allocates can be looked at. One at a time, and one thread.
class MemoryWatch {
  public:
    MemoryWatch() { openssl_pieces = &pieces_; }
    ~MemoryWatch() { openssl_pieces = nullptr; }
    // Some piece that is not freed yet has these bytes.
    bool holds(std::string_view bytes) const {
        for (const auto& [at, size] : pieces_) {
            if (std::string_view(static_cast<const char*>(at), size).find(bytes) !=
                std::string_view::npos) {
                return true;
            }
        }
        return false;
    }

  private:
    std::map<void*, std::size_t> pieces_;
};

// One allocation of OpenSSL's fails, after `count` that succeed.
class FailingAllocation {
  public:
    explicit FailingAllocation(int count) { openssl_allocations_left = count; }
    ~FailingAllocation() { openssl_allocations_left = -1; }
    // The one has failed.
    bool has_failed() const { return openssl_allocations_left < 0; }
};

}  // namespace wsp::test
