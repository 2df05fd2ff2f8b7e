// Keeps connections to one backend open ahead (ProxyWebsocketPool warm=N), on a thread of its own:
// connecting, and mod_ssl's handshake, block. It also watches the idle ones, made ahead or given back: the
// server may close them, their ttl= ends, and a member that is drained, disabled or in error lets go of
// them. When the child stops ungracefully it wakes those who wait for their turn to connect. Made when
// there is the first of any of these.
#pragma once

#include <poll.h>

#include <vector>

#include "base/wake_fd.hpp"
#include "pool/connection_pool.hpp"

namespace wsp {

class WorkerPool;

class Preconnector {
  public:
    explicit Preconnector(WorkerPool& worker_pool) : worker_pool_(worker_pool) {}

    // Makes the thread, where there is none yet. False with errno when the system refuses: nothing is made
    // ahead then, and it may be tried again. The member must outlive the process's last thread.
    bool start() noexcept;
    // There may be something to do. Any thread; never blocks.
    void wake() noexcept;

  private:
    // The thread's life: throws nothing, since nobody would make another.
    void run() noexcept;
    void fill();
    bool watch_idle() noexcept;             // false: there is no memory to watch them with
    bool wait(MonotonicUs until) noexcept;  // false: the child ends

    WorkerPool& worker_pool_;
    WakeFd wake_;
    bool has_thread_ = false;
    bool is_stopping_ = false;
    std::vector<int> watched_;  // descriptors of idle connections
    MonotonicUs watched_since_ = 0;
    std::vector<pollfd> slots_;  // kOwnSlots, then one for each of them
    std::vector<int> readable_;  // of these, when poll(2) said so last
};

}  // namespace wsp
