// Watches how many of httpd's slots for child processes are taken. A child that drains keeps its slot until it ends.
// When all are taken, httpd cannot start the next generation, and no pages are served. That is so with event and
// prefork; with worker a new child takes over the slot of one that drains (make_child, server/mpm/worker/worker.c).
#pragma once

#include "base/clock.hpp"
#include "httpd/httpd.hpp"

namespace wsp {

// Used by a draining child. After the restart that ended the child's generation it logs once how many slots are taken,
// as a warning if another restart would leave too few. One child of each generation logs it. The child's main thread;
// never blocks.
class SlotWatch {
  public:
    // Call it again and again while the child drains.
    void look(MonotonicUs now);

  private:
    MonotonicUs next_look_ = 0;
    // When a look first found a newer generation.
    MonotonicUs restarted_ = kNever;
    bool is_over_ = false;
};

}  // namespace wsp
