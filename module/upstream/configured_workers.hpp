// What the configuration says about workers, noted in post_config. A child cannot find it out any more: mod_proxy fills
// in a default max= and smax= where there is none (proxy_util.c ap_proxy_initialize_worker).
#pragma once

#include <cstddef>
#include <optional>
#include <unordered_map>

#include "config/config.h"
#include "httpd/httpd.hpp"

namespace wsp {

// Belongs to the configuration's pool. Child processes inherit it by fork; any thread may read it.
class ConfiguredWorkers {
  public:
    // post_config, main thread. The main server's configuration points to it from then on.
    static void learn(apr_pool_t* pconf, server_rec* main_server);
    static const ConfiguredWorkers& of(const wsp_server_config& main) {
        return *static_cast<const ConfiguredWorkers*>(main.configured_workers);
    }

    // The workers with a max= of their own, and their number.
    const std::unordered_map<const proxy_worker*, std::size_t>& max() const { return max_; }
    // smax=, where the worker has one.
    std::optional<std::size_t> smax_of(const proxy_worker* worker) const;
    // Whether any <Proxy> section has SSLProxy* directives.
    bool section_sets_tls() const { return section_sets_tls_; }

  private:
    std::unordered_map<const proxy_worker*, std::size_t> max_;
    std::unordered_map<const proxy_worker*, std::size_t> smax_;
    bool section_sets_tls_ = false;
};

}  // namespace wsp
