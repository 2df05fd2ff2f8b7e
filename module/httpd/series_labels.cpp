// Names of virtual hosts and workers.
#include "httpd/series_labels.hpp"

#include <algorithm>
#include <string_view>

#include "ap_listen.h"

namespace wsp {
namespace {

// 0: it is on several ports, or on none that the configuration knows.
apr_port_t port_of(const server_rec& server) {
    if (server.port != 0) {
        return server.port;
    }
    if (server.addrs != nullptr && server.addrs->host_port != 0) {
        return server.addrs
            ->host_port;  // core.c server_hostname_port: a ServerName without a port takes it away
    }
    if (server.server_scheme != nullptr && std::strcmp(server.server_scheme, "https") == 0) {
        return DEFAULT_HTTPS_PORT;
    }
    apr_port_t port = 0;
    for (const ap_listen_rec* each = ap_listeners; each != nullptr; each = each->next) {
        if (each->bind_addr == nullptr || (port != 0 && port != each->bind_addr->port)) {
            return 0;
        }
        port = each->bind_addr->port;
    }
    return port;
}

// Without "user:password@" and "?query".
std::string shown(std::string_view url) {
    url = url.substr(0, url.find('?'));
    static constexpr std::string_view kAuthority = "://";
    const std::size_t authority = url.find(kAuthority);
    if (authority == std::string_view::npos) {
        return std::string(url);
    }
    const std::size_t host = authority + kAuthority.size();
    const std::size_t path = std::min(url.find('/', host), url.size());
    const std::size_t at = url.substr(0, path).rfind('@');
    const bool has_user = at != std::string_view::npos && at >= host;
    return std::string(url.substr(0, host)).append(url.substr(has_user ? at + 1 : host));
}

}  // namespace

std::string label_of(const server_rec& server) {
    const char* const name = server.server_hostname;
    const apr_port_t port = port_of(server);
    std::string label(name != nullptr ? name : "");
    return port != 0 ? label.append(":").append(std::to_string(port)) : label;
}

std::string label_of(const proxy_balancer& balancer) {
    return shown(balancer.s->name);
}

std::string label_of(const proxy_worker& worker) {
    std::string label;
    if (worker.balancer != nullptr) {
        label.append(label_of(*worker.balancer)).append(" ");
    }
    if (*worker.s->uds_path != '\0') {
        label.append("unix:").append(worker.s->uds_path).append("|");
    }
    return label.append(shown(name_of(worker)));
}

}  // namespace wsp
