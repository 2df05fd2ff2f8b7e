// The slots for child processes. A child that drains keeps its own until it ends, and where all are
// taken httpd cannot start the next generation, so that pages stop. Event and prefork are so; with
// worker a new child takes over the slot of one that drains (make_child, server/mpm/worker/worker.c).
#pragma once

#include "base/clock.hpp"
#include "httpd/httpd.hpp"

namespace wsp {

// How many slots the MPM has, those of children that no longer serve included; 0 where that is no
// limit.
int process_slots();

// A draining child's eye on them: says once after the restart that ended its generation how many are
// taken, as a warning if another restart would leave too few. One child of each generation speaks.
// The child's main thread; nothing here blocks.
class SlotWatch {
  public:
    // To be called again and again while the child drains.
    void look(MonotonicUs now);

  private:
    MonotonicUs next_look_ = 0;
    MonotonicUs restarted_ = kNever;  // when a look first found another generation
    bool is_over_ = false;
};

}  // namespace wsp
