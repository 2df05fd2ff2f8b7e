// Why a tunnel keeps its request thread instead of leaving httpd. Request thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/table.hpp"
#include "httpd/httpd.hpp"

namespace wsp {

enum class WhyKept : std::uint8_t {
#define WSP_ROW(name, ...) name,
#include "handoff/why_kept.def"
};

template <>
struct Table<WhyKept> {
    struct Row {
        std::string_view name;
        std::string_view text;
    };
    static constexpr Row kRows[] = {
#define WSP_ROW(name, text) {#name, text},
#include "handoff/why_kept.def"
    };
};

// With the filter's name where a filter is the reason.
struct Obstacle {
    WhyKept why = WhyKept::none;
    const char* detail = nullptr;

    explicit operator bool() const { return why != WhyKept::none; }
};

// What holds back the client's connection; `async` is ProxyWebsocketAsync.
Obstacle obstacle_of_client(conn_rec* client, bool async);
// What holds back a connection of HTTP/1.1, the client's or the backend's.
Obstacle obstacle_of(conn_rec* c);

// WSP0110, at info for the first tunnel of this child process with that reason, at debug for later ones.
void log_kept_thread(request_rec* r, const Obstacle& obstacle);

}  // namespace wsp
