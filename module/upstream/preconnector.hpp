// Opens connections to one backend before requests need them (ProxyWebsocketPool warm=N), and looks after the idle
// ones.
#pragma once

#include <poll.h>

#include <mutex>
#include <string>
#include <vector>

#include "base/wake_fd.hpp"
#include "pool/connection_pool.hpp"
#include "upstream/backend.hpp"

namespace wsp {

class BackendConnection;

// A thread of its own does the work, because connecting and mod_ssl's handshake block. It is made when there is work
// for the first time. It
// - opens as many connections as the pool asks for;
// - closes an idle connection when the server closes it, when its ttl= is over, or when the worker is draining,
//   disabled or in error;
// - shuts the pool down when the child process stops and is not graceful, so that no request waits for its turn any
//   more.
//
// wake() and set_target() from any thread. Must outlive its thread, which ends with the child process.
class Preconnector {
  public:
    // Where to connect, as the last request has found it.
    struct Target {
        const char* scheme = "ws";  // a literal, for mod_proxy's log lines
        std::string hostname;
        apr_port_t port = 0;
        std::string uds_path;
        std::string tls_name;  // SNI, and the name that the certificate is checked for
        bool tls = false;
    };

    Preconnector(Backend& backend, ConnectionPool& pool) : backend_(backend), pool_(pool) {}
    Preconnector(const Preconnector&) = delete;
    Preconnector& operator=(const Preconnector&) = delete;

    // A request has connected to `target`: connections that are opened from now on go there too. Wakes the thread. May
    // throw bad_alloc.
    void set_target(Target target);
    // There may be work. Never blocks. If the system has no thread left, that is logged once, and tried again with the
    // next call.
    void wake() noexcept;

  private:
    void wake_locked() noexcept;
    bool start() noexcept;
    void run() noexcept;
    void preconnect_missing();
    ConnectFault connect(BackendConnection& connection, const Target& target);
    bool watch_idle() noexcept;
    bool wait(MonotonicUs until) noexcept;
    Target target() const;

    Backend& backend_;
    ConnectionPool& pool_;
    mutable std::mutex mutex_;  // guards these four
    Target target_;
    WakeFd wake_;  // opened before the thread begins, and then the thread's as well
    bool has_thread_ = false;
    bool has_logged_lack_ = false;  // WSP0014
    // The thread's own.
    bool is_stopping_ = false;
    std::vector<int> watched_;  // descriptors of idle connections
    MonotonicUs watched_since_ = 0;
    std::vector<pollfd> slots_;  // kOwnSlots, then one for each watched descriptor
    std::vector<int>
        readable_;  // the watched descriptors that were readable after the last poll(2)
};

}  // namespace wsp
