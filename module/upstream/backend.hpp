// One worker as one virtual host uses it: what any connection to it is made with. Two virtual hosts with the same
// worker are two backends, because the TLS settings are the host's.
#pragma once

#include <cstddef>
#include <mutex>

#include "httpd/httpd.hpp"
#include "httpd/limited_log.hpp"
#include "httpd/stop_fds.hpp"
#include "net/connect_race.hpp"
#include "upstream/tunnel_permits.hpp"

namespace wsp {

// Made when the first handshake asks for it, and lives as long as the child process. Any thread; the mutex guards the
// good address.
class Backend {
  public:
    Backend(proxy_worker* worker, server_rec* server, StopFds stops, const TunnelPermits& permits)
        : worker_(worker), server_(server), stops_(stops), permits_(permits) {}
    Backend(const Backend&) = delete;
    Backend& operator=(const Backend&) = delete;

    proxy_worker* worker() const { return worker_; }
    server_rec* server() const { return server_; }
    const proxy_server_conf& proxy_config() const {
        return *static_cast<const proxy_server_conf*>(
            ap_get_module_config(server_->module_config, &proxy_module));
    }
    // What says that the child process ends.
    StopFds stops() const { return stops_; }
    // The limits of its warnings in the log.
    WarningGates& warnings() { return warnings_; }
    // How many more connections max= allows in this child process.
    std::size_t room() const { return permits_.room(worker_); }

    // The address that was connected to last; the next race begins with it (RFC 8305 section 4).
    void note_good_address(const ConnectAddress& address);
    // False when no address has been connected to yet.
    bool good_address(ConnectAddress& address) const;

  private:
    proxy_worker* const worker_;
    server_rec* const server_;
    const StopFds stops_;
    const TunnelPermits& permits_;
    WarningGates warnings_;
    mutable std::mutex mutex_;
    ConnectAddress good_address_{};
    bool has_good_address_ = false;
};

}  // namespace wsp
