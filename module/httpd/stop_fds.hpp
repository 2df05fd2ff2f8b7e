// What says that the child process is to end: descriptors to poll(2), readable from then on. The child owns them, for as long
// as it lives; whoever waits is handed this copy.
#pragma once

namespace wsp {

struct StopFds {
    int drain = -1;  // the child is being replaced, or ends gracefully
    int stop = -1;   // at once
};

}  // namespace wsp
