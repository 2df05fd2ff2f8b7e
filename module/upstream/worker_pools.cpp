// What a pool's limits are, and when connections may be shared, is read off the configuration once.
#include "upstream/worker_pools.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <string_view>
#include <unordered_map>

#include "base/signal_safe_lock.hpp"
#include "httpd/config_tree.hpp"
#include "httpd/proxy_workers.hpp"
#include "upstream/preconnector.hpp"

namespace wsp {
namespace {

PoolClock& pool_clock() {
    static SystemPoolClock clock;
    return clock;
}

// Where neither ProxyWebsocketPool nor the worker says anything.
constexpr std::size_t kMaxIdle = 8;
constexpr DurationUs kTtl = 30 * kSecond;

// Workers with an smax=. A child's mod_proxy fills in another where there is none (proxy_util.c
// ap_proxy_initialize_worker).
std::unordered_map<const proxy_worker*, int>& soft_limits() {
    static std::unordered_map<const proxy_worker*, int> known;
    return known;
}

std::size_t max_idle_of(const proxy_worker* worker, const wsp_dir_config& config) {
    if (config.pool_max_idle != WSP_UNSET) {
        return static_cast<std::size_t>(config.pool_max_idle);
    }
    const auto soft = soft_limits().find(worker);
    return soft != soft_limits().end() ? static_cast<std::size_t>(soft->second) : kMaxIdle;
}

DurationUs ttl_of(const proxy_worker* worker, const wsp_dir_config& config) {
    if (config.pool_ttl_us != WSP_UNSET) {
        return config.pool_ttl_us;
    }
    return worker->s->ttl > 0 ? worker->s->ttl : kTtl;
}

PoolLimits limits_of(const proxy_worker* worker, const wsp_dir_config& config, bool reusable) {
    PoolLimits limits;
    if (worker->s->is_address_reusable) {  // else it stands for many backends
        limits.max_connecting = static_cast<std::size_t>(config.pool_max_connecting);
    }
    if (reusable) {
        limits.warm = static_cast<std::size_t>(config.pool_warm);
        limits.max_idle = max_idle_of(worker, config);
        limits.ttl = ttl_of(worker, config);
    }
    return limits;
}

bool may_be_reused(const proxy_worker* worker) {
    return worker->s->is_address_reusable && !worker->s->disablereuse;
}

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

bool any_section_sets_tls = false;

bool starts_with(const char* text, std::string_view prefix) {
    return strncasecmp(text, prefix.data(), prefix.size()) == 0;
}

// mod_proxy merges every <Proxy> section that matches a request's URL into the request's
// configuration, with the SSLProxy* directives that stand there. A connection that is made without
// a request has the worker's own section, or the virtual host, and nothing else.
bool has_one_tls_configuration(const proxy_worker* worker, const server_rec* server) {
    if (!any_section_sets_tls) {
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

void learn_proxy_sections() {
    const auto sets_tls = [](const ap_directive_t* directive) {
        return starts_with(directive->directive, "SSLProxy");
    };
    const auto is_section_with_tls = [&](const ap_directive_t* directive) {
        return starts_with(directive->directive, "<Proxy") &&
               find_directive(directive->first_child, sets_tls) != nullptr;
    };
    any_section_sets_tls = find_directive(ap_conftree, is_section_with_tls) != nullptr;
}

void learn_idle_limits(server_rec* main_server) {
    soft_limits().clear();
    each_worker(main_server, [](const proxy_worker* worker) {
        if (worker->s->smax >= 0) {
            soft_limits()[worker] = worker->s->smax;
        }
    });
}

WorkerPool::WorkerPool(proxy_worker* worker, server_rec* server, const wsp_dir_config& config,
                       StopFds stops)
    : worker_(worker),
      server_(server),
      stops_(stops),
      reusable_(may_be_reused(worker)),
      tls_reusable_(has_one_tls_configuration(worker, server)),
      limits_(limits_of(worker, config, reusable_)),
      pool_(limits_, pool_clock()) {
    const std::string_view url(name_of(*worker));
    if (limits_.warm > 0 && !tls_reusable_ && url.substr(0, 4) == "wss:") {
        ap_log_error(
            APLOG_MARK, APLOG_NOTICE, 0, server,
            "WSP0016: no connections are made ahead to %s: a <Proxy> section with SSLProxy* "
            "directives may change their TLS from request to request; put the directives into "
            "the virtual host, or give the backend's own section a parameter "
            "(<Proxy %s keepalive=on>)",
            name_of(*worker), name_of(*worker));
    }
    if (limits_.max_connecting > 0) {
        wake_preconnector();
    }
}

WorkerPool::~WorkerPool() = default;

void WorkerPool::note_use(const char* scheme, const proxy_conn_rec& record) {
    if (limits_.warm == 0 || !keeps(record.is_ssl != 0)) {
        return;
    }
    const auto text = [](const char* from) { return std::string(from != nullptr ? from : ""); };
    Target target;
    target.scheme = scheme;
    target.hostname = text(record.hostname);
    target.port = record.port;
    target.uds_path = text(record.uds_path);
    target.tls_name = text(record.ssl_hostname);
    target.tls = record.is_ssl != 0;
    const SignalSafeLock lock(mutex_);
    target_ = std::move(target);
    wake_preconnector();
}

void WorkerPool::note_idle() noexcept {
    const SignalSafeLock lock(mutex_);
    wake_preconnector();
}

// With the mutex held. What cannot be made now is tried again with the next use.
void WorkerPool::wake_preconnector() noexcept {
    if (preconnector_ == nullptr) {
        preconnector_.reset(new (std::nothrow) Preconnector(*this));
    }
    if (preconnector_ != nullptr && preconnector_->start()) {
        preconnector_->wake();
    } else if (!std::exchange(lack_told_, true)) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, errno, server_,
                     "WSP0014: no thread for the idle connections to %s: none are made ahead, "
                     "and those that are kept are looked at when they are needed",
                     name_of(*worker_));
    }
}

WorkerPool::Target WorkerPool::target() const {
    const SignalSafeLock lock(mutex_);
    return target_;
}

void WorkerPool::note_good_address(const ConnectAddress& address) {
    const SignalSafeLock lock(mutex_);
    good_address_ = address;
    has_good_address_ = true;
}

bool WorkerPool::good_address(ConnectAddress& address) const {
    const SignalSafeLock lock(mutex_);
    address = good_address_;
    return has_good_address_;
}

WorkerPool& WorkerPoolMap::worker_pool(proxy_worker* worker, server_rec* server,
                                       const wsp_dir_config& config) {
    const SignalSafeLock lock(mutex_);
    std::unique_ptr<WorkerPool>& worker_pool = members_[{worker, server}];
    if (worker_pool == nullptr) {
        worker_pool = std::make_unique<WorkerPool>(worker, server, config, stops_);
    }
    return *worker_pool;
}

void WorkerPoolMap::log_left_out() noexcept {
    const SignalSafeLock lock(mutex_);
    for (const auto& [of_worker, worker_pool] : members_) {
        if (worker_pool != nullptr) {  // for want of memory
            wsp::log_left_out(of_worker.second, worker_pool->warnings(), name_of(*of_worker.first));
        }
    }
}

}  // namespace wsp
