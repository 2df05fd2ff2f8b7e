// Names of the workers of a configuration, by which another process finds them again: after a restart, where every
// address is another one. A name is 64 bits. Two configurations give a worker the same name if it has the same virtual
// host (ServerName, addresses and ports, and the place among those that are equal), balancer and URL.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "httpd/httpd.hpp"

namespace wsp {

// 0: none.
using WorkerName = std::uint64_t;

// Belongs to the configuration's pool. Child processes inherit it by fork; any thread may read it.
class WorkerDirectory {
  public:
    // post_config, main thread. Only workers that the configuration itself names are in it, and those of rewrite rules;
    // members that balancer-manager has added are not.
    explicit WorkerDirectory(server_rec* main_server);

    struct Found {
        server_rec* server = nullptr;
        proxy_worker* worker = nullptr;  // null: there is none of this name
    };
    // In a child process. Any thread.
    Found find(WorkerName name) const;
    // The name of a worker as `server` uses it. Any thread.
    WorkerName name_of(const server_rec* server, const proxy_worker* worker) const;

    std::vector<WorkerName> names() const;

  private:
    std::unordered_map<const server_rec*, std::uint64_t> servers_;
    std::unordered_map<WorkerName, Found> workers_;
    // Of mod_proxy's worker for rewrite rules, which is made in child_init.
    std::unordered_map<WorkerName, server_rec*> rewrites_;
};

}  // namespace wsp
