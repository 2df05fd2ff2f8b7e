// Why a tunnel keeps its request thread instead of leaving httpd. Request thread.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

enum class WhyKept {
    kNot,  // the connections may leave
    kHttp2,
    kAsyncOff,
    kNoSocket,
    kFilter,
    kForeignTls,
    kNoPump,
    kNoDescriptor,
    kCount
};

// With the filter's name where a filter is the reason.
struct Obstacle {
    WhyKept why = WhyKept::kNot;
    const char* detail = nullptr;

    explicit operator bool() const { return why != WhyKept::kNot; }
};

// What holds back the client's connection; `async` is ProxyWebsocketAsync.
Obstacle obstacle_of_client(conn_rec* client, bool async);
// What holds back a connection of HTTP/1.1, the client's or the backend's.
Obstacle obstacle_of(conn_rec* c);

// WSP0110, at info for the first tunnel of this child process with that reason, at debug for later ones.
void log_kept_thread(request_rec* r, const Obstacle& obstacle);

}  // namespace wsp
