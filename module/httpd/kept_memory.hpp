// Shared memory that the parent process makes once, and that all child processes of all generations have. It is kept
// across restarts, in the pool of httpd's process, until httpd ends. The module itself may be unloaded and loaded again
// at each restart. So it is plain memory, found by a key, and no function of ours is registered for its end.
#pragma once

#include <cstddef>

#include "httpd/httpd.hpp"

namespace wsp {

// The memory of this key, zeroed and at the beginning of a page where it is made now. Null with `error` when the system
// refuses. The key names the layout of what is in it: what another version of the module has made there must not be
// found. Memory that nobody touches costs address space only, but counts where the system overcommits none.
// post_config, main thread.
void* make_kept_memory(const server_rec* server, const char* key, std::size_t bytes,
                       apr_status_t& error);

// The same memory, in the parent or in a child process. Null: nothing was made. Any thread, once threads are there.
void* kept_memory(const server_rec* server, const char* key);

}  // namespace wsp
