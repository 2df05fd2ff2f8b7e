// Reads mod_proxy's records and httpd's configuration tree, before a child changes the former.
#include "upstream/configured_workers.hpp"

#include <string_view>

#include "httpd/boundary.hpp"
#include "httpd/config_tree.hpp"
#include "httpd/proxy_workers.hpp"

namespace wsp {
namespace {

bool starts_with(const char* text, std::string_view prefix) {
    return strncasecmp(text, prefix.data(), prefix.size()) == 0;
}

bool has_section_with_tls() {
    const auto sets_tls = [](const ap_directive_t* directive) {
        return starts_with(directive->directive, "SSLProxy");
    };
    const auto is_section_with_tls = [&](const ap_directive_t* directive) {
        return starts_with(directive->directive, "<Proxy") &&
               find_directive(directive->first_child, sets_tls) != nullptr;
    };
    return find_directive(ap_conftree, is_section_with_tls) != nullptr;
}

}  // namespace

void ConfiguredWorkers::learn(apr_pool_t* pconf, server_rec* main_server) {
    auto& learned = *make_in_pool<ConfiguredWorkers>(pconf);
    each_worker(main_server, [&](const proxy_worker* worker) {
        if (worker->s->hmax > 0) {
            learned.max_[worker] = static_cast<std::size_t>(worker->s->hmax);
        }
        if (worker->s->smax >= 0) {
            learned.smax_[worker] = static_cast<std::size_t>(worker->s->smax);
        }
    });
    learned.section_sets_tls_ = has_section_with_tls();
    static_cast<wsp_server_config*>(
        ap_get_module_config(main_server->module_config, &proxy_websocket_module))
        ->configured_workers = &learned;
}

std::optional<std::size_t> ConfiguredWorkers::smax_of(const proxy_worker* worker) const {
    const auto found = smax_.find(worker);
    return found != smax_.end() ? std::optional<std::size_t>(found->second) : std::nullopt;
}

}  // namespace wsp
