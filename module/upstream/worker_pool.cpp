// Reads a pool's limits off the configuration, and whether its connections may be shared between requests.
#include "upstream/worker_pool.hpp"

#include <algorithm>
#include <string_view>

namespace wsp {
namespace {

// Where neither ProxyWebsocketPool nor the worker has a value.
constexpr std::size_t kMaxIdle = 8;
constexpr DurationUs kTtl = 30 * kSecond;

std::size_t max_idle_of(const proxy_worker* worker, const wsp_dir_config& config,
                        const ConfiguredWorkers& workers) {
    if (config.pool_max_idle != WSP_UNSET) {
        return static_cast<std::size_t>(config.pool_max_idle);
    }
    return workers.smax_of(worker).value_or(kMaxIdle);
}

DurationUs ttl_of(const proxy_worker* worker, const wsp_dir_config& config) {
    if (config.pool_ttl_us != WSP_UNSET) {
        return config.pool_ttl_us;
    }
    return worker->s->ttl > 0 ? worker->s->ttl : kTtl;
}

PoolLimits limits_of(const proxy_worker* worker, const wsp_dir_config& config,
                     const ConfiguredWorkers& workers, bool reusable) {
    PoolLimits limits;
    if (worker->s->is_address_reusable) {  // else the worker stands for many backends
        limits.max_connecting = static_cast<std::size_t>(config.pool_max_connecting);
    }
    if (reusable) {
        limits.preconnect = static_cast<std::size_t>(config.pool_warm);
        limits.max_idle = max_idle_of(worker, config, workers);
        limits.ttl = ttl_of(worker, config);
    }
    return limits;
}

bool may_be_reused(const proxy_worker* worker) {
    return worker->s->is_address_reusable && !worker->s->disablereuse;
}

// Whether a request to the worker may have a URL that the <Proxy> section matches.
bool may_match(const proxy_dir_conf& section, std::string_view worker) {
    if (section.p_is_fnmatch || section.r != nullptr) {
        return true;
    }
    const std::string_view url(section.p);
    static constexpr std::string_view kBalancer = "balancer://";
    if (url.substr(0, kBalancer.size()) == kBalancer) {
        const std::size_t path = url.find('/', kBalancer.size());
        return path != std::string_view::npos && path + 1 < url.size();
    }
    const std::size_t common = std::min(url.size(), worker.size());
    return url.substr(0, common) == worker.substr(0, common);
}

// mod_proxy merges every <Proxy> section that matches a request's URL into the request's configuration, with the
// SSLProxy* directives of the section. A connection that is made without a request has only the worker's own section
// and the virtual host.
bool has_one_tls_configuration(const proxy_worker* worker, const server_rec* server,
                               const ConfiguredWorkers& workers) {
    if (!workers.section_sets_tls()) {
        return true;
    }
    const auto* const proxy = static_cast<const proxy_server_conf*>(
        ap_get_module_config(server->module_config, &proxy_module));
    for (int i = 0; i < proxy->sec_proxy->nelts; ++i) {
        ap_conf_vector_t* const section = APR_ARRAY_IDX(proxy->sec_proxy, i, ap_conf_vector_t*);
        const auto* const config =
            static_cast<const proxy_dir_conf*>(ap_get_module_config(section, &proxy_module));
        if (section != worker->section_config && may_match(*config, name_of(*worker))) {
            return false;
        }
    }
    return true;
}

}  // namespace

WorkerPool::WorkerPool(proxy_worker* worker, server_rec* server, const wsp_dir_config& config,
                       StopFds stops, const TunnelPermits& permits,
                       const ConfiguredWorkers& workers, Series& series)
    : backend_(worker, server, stops, permits),
      reusable_(may_be_reused(worker)),
      tls_reusable_(has_one_tls_configuration(worker, server, workers)),
      limits_(limits_of(worker, config, workers, reusable_)),
      series_(series),
      connections_(limits_, clock_, series.counters),
      preconnector_(backend_, connections_) {
    const std::string_view url(name_of(*worker));
    if (limits_.preconnect > 0 && !tls_reusable_ && url.substr(0, 4) == "wss:") {
        ap_log_error(
            APLOG_MARK, APLOG_NOTICE, 0, server,
            "WSP0016: no connections are preconnected to %s: a <Proxy> section with SSLProxy* "
            "directives may change their TLS from request to request; put the directives into "
            "the virtual host, or give the backend's own section a parameter "
            "(<Proxy %s keepalive=on>)",
            name_of(*worker), name_of(*worker));
    }
    if (limits_.max_connecting > 0) {
        preconnector_.wake();  // its thread ends all waiting when the child stops
    }
}

void WorkerPool::note_use(const char* scheme, const proxy_conn_rec& record) {
    if (limits_.preconnect == 0 || !keeps(record.is_ssl != 0)) {
        return;
    }
    const auto text = [](const char* from) { return std::string(from != nullptr ? from : ""); };
    Preconnector::Target target;
    target.scheme = scheme;
    target.hostname = text(record.hostname);
    target.port = record.port;
    target.uds_path = text(record.uds_path);
    target.tls_name = text(record.ssl_hostname);
    target.tls = record.is_ssl != 0;
    preconnector_.set_target(std::move(target));
}

}  // namespace wsp
