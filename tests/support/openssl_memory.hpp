// OpenSSL's memory, of which a test can take one piece away.
#pragma once

#include <openssl/crypto.h>

#include <cstdlib>

namespace wsp::test {

// How many allocations succeed until one fails; negative: all do.
inline int openssl_allocations_left = -1;

inline bool openssl_may_allocate() {
    return openssl_allocations_left < 0 || openssl_allocations_left-- > 0;
}

// Before OpenSSL's first allocation, so before main().
inline const bool openssl_memory_is_ours =
    CRYPTO_set_mem_functions(
        [](std::size_t size, const char*, int) -> void* {
            return openssl_may_allocate() ? std::malloc(size) : nullptr;
        },
        [](void* at, std::size_t size, const char*, int) -> void* {
            return openssl_may_allocate() ? std::realloc(at, size) : nullptr;
        },
        [](void* at, const char*, int) { std::free(at); }) == 1;

// One allocation of OpenSSL's fails, after `count` that succeed.
class FailingAllocation {
  public:
    explicit FailingAllocation(int count) { openssl_allocations_left = count; }
    ~FailingAllocation() { openssl_allocations_left = -1; }
    // The one has failed.
    bool has_failed() const { return openssl_allocations_left < 0; }
};

}  // namespace wsp::test
