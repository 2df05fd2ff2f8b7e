// The loads that a proxy is measured under. Each prints "ready", waits for a line on standard
// input, works, prints one line of JSON, and keeps its connections until standard input ends:
// whoever reads the proxy's CPU time can tell the work from what comes before and after it.
#pragma once

#include <cstddef>

namespace bench {

struct LoadOptions {
    int port = 0;
    bool tls = false;
    std::size_t connections = 1;  // echo: how many; open: how many at a time
    std::size_t size = 64;        // of a message, in bytes
    std::size_t count = 0;        // echoes or opens
    double rate =
        0;  // echo: messages per second over all connections; 0: each as soon as the last is back
    double seconds = 60;  // gives up after so long
};

// Connections that exist already and have echoed twice pass messages. With a count of 0 they are
// idle.
void run_echo_load(const LoadOptions& options);

// Connect, TLS, handshake, Close both ways, and the next.
void run_open_load(const LoadOptions& options);

}  // namespace bench
