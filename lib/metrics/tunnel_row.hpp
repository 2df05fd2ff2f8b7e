// What is known of one live tunnel when somebody asks. Values; one owner, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace wsp {

struct TunnelRow {
    std::string id;       // the same on all of its log lines (%L)
    std::string client;   // "192.0.2.7": the address of the user agent
    std::string vhost;    // as in SeriesSnapshot
    std::string path;     // of the client's request, without the query
    std::string backend;  // as in SeriesSnapshot
    std::string tag;      // ProxyWebsocketTag; empty: none
    DurationUs age = 0;
    DurationUs idle = 0;            // since the last byte in either direction
    DurationUs rtt = 0;             // of the last Ping that the client answered; 0: none
    std::uint64_t messages_in = 0;  // from the client
    std::uint64_t messages_out = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::uint64_t held = 0;  // bytes that wait in the tunnel
    enum class State : std::uint8_t { open, closing } state = State::open;
    enum class Mode : std::uint8_t { pumped, blocking } mode = Mode::pumped;
    bool tls = false;        // of the client's connection
    std::int64_t child = 0;  // process id
};

// Whose tunnel it is: what lib does not know itself. Views into memory of whoever describes it, so that a pump
// describes its tunnels without allocating. See the members of TunnelRow.
struct TunnelDescription {
    std::string_view id;
    std::string_view client;
    std::string_view vhost;
    std::string_view path;
    std::string_view backend;
    std::string_view tag;
    bool tls = false;
};

}  // namespace wsp
