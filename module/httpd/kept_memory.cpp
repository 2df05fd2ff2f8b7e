// Anonymous shared memory of APR, in the pool of httpd's process.
#include "httpd/kept_memory.hpp"

#include <unistd.h>

#include <cstdint>

#include "apr_shm.h"

namespace wsp {

void* kept_memory(const server_rec* server, const char* key) {
    void* kept = nullptr;
    apr_pool_userdata_get(&kept, key, server->process->pool);
    return kept;
}

void* make_kept_memory(const server_rec* server, const char* key, std::size_t bytes,
                       apr_status_t& error) {
    error = APR_SUCCESS;
    if (void* const kept = kept_memory(server, key)) {
        return kept;
    }
    apr_pool_t* const pool = server->process->pool;
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    apr_shm_t* memory = nullptr;
    // APR keeps its own numbers in front of what it gives.
    error = apr_shm_create(&memory, bytes + page, nullptr, pool);
    if (error != APR_SUCCESS) {
        return nullptr;
    }
    const auto given = reinterpret_cast<std::uintptr_t>(apr_shm_baseaddr_get(memory));
    void* const begin = reinterpret_cast<void*>((given + page - 1) / page * page);
    apr_pool_userdata_set(begin, key, nullptr, pool);  // copies the key
    return begin;
}

}  // namespace wsp
