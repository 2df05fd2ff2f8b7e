// Descriptors that become readable, and stay so, when the child process must end. The child process owns them for all
// its life. Whoever waits gets this copy and adds them to its poll(2).
#pragma once

namespace wsp {

struct StopFds {
    int drain = -1;  // the child is being replaced, or ends gracefully
    int stop = -1;   // at once
};

}  // namespace wsp
