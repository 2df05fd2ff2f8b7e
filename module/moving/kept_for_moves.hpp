// What the parent process keeps across restarts, so that children of different generations can hand tunnels to each
// other: two descriptors and a piece of shared memory. The module itself may be unloaded and loaded again at each
// restart. So this is plain memory in the process's pool, found by a key that names its layout, and there are no
// cleanups: no function of ours may be left behind.
#pragma once

#include "httpd/httpd.hpp"
#include "tunnel/serving_page.hpp"

namespace wsp {

struct KeptForMoves {
    ServingPage* page;
    int write_fd;  // of one DescriptorChannel; close-on-exec, inherited by all children
    int read_fd;
};

// The parent's, or in a child what it has inherited. Null: nothing was made so far.
const KeptForMoves* kept_for_moves(const server_rec* server);

// post_config. Tells the children that leave what the new generation can take over: nothing without
// ProxyWebsocketMigrate. Makes what is kept, when there is none; without memory or descriptors there are no moves, and
// the log says so. Main thread.
void prepare_moves(apr_pool_t* pconf, server_rec* main_server);

// Whether no tunnel that was sent is still to be received, as far as the channel tells. The parent's main thread.
bool nothing_under_way(const server_rec* server);

// child_status: a child process is gone, whatever has ended it. The parent's main thread.
void forget_child(const server_rec* server, pid_t child);

}  // namespace wsp
