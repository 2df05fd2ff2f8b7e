// The WebSocket server behind every proxy: sends each message back once it has arrived whole.
#pragma once

namespace bench {

// Listens on `ports` free loopback ports, prints "ready PORT...", and serves until its standard
// input ends.
void run_backend(int ports);

}  // namespace bench
