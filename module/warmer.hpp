// Keeps connections to one backend open ahead (ProxyWebsocketPool warm=N), on a thread of its own:
// connecting, and mod_ssl's handshake, block. It also watches the idle ones, made ahead or given back: the
// server may close them, their ttl= ends, and a member that is drained, disabled or in error lets go of
// them. When the child stops ungracefully it wakes those who wait for their turn to connect. Made when
// there is the first of any of these.
#pragma once

#include <vector>

#include "base/unique_fd.hpp"
#include "pool/backend_pool.hpp"

namespace wsp {

class Member;

class Warmer {
  public:
    explicit Warmer(Member& member) : member_(member) {}

    // Makes the thread. False when the system refuses: nothing is made ahead then. The member must
    // outlive the process's last thread.
    bool start();
    // There may be something to do. Any thread; never blocks.
    void wake() noexcept;

  private:
    void run();
    void fill();
    bool wait(MonotonicUs until) noexcept;  // false: the child ends

    Member& member_;
    UniqueFd wake_read_;
    UniqueFd wake_write_;
    bool is_stopping_ = false;
    std::vector<int> watched_;   // descriptors of idle connections
    std::vector<int> readable_;  // of these, when poll(2) said so last
};

}  // namespace wsp
