// Hashes names and looks them up.
#include "upstream/worker_directory.hpp"

#include <algorithm>
#include <string_view>

#include "base/fnv1a.hpp"
#include "httpd/proxy_workers.hpp"

namespace wsp {
namespace {

// What mod_proxy calls the worker of rewrite rules that name no worker (mod_proxy.c child_init).
constexpr char kRewrites[] = "proxy:reverse";

std::string_view text_or_empty(const char* text) {
    return text != nullptr ? text : "";
}

std::string_view lower_case(const char* name, apr_pool_t* pool) {
    char* const copy = apr_pstrdup(pool, text_or_empty(name).data());
    ap_str_tolower(copy);
    return copy;
}

std::uint64_t hash_of(const server_rec& server, apr_pool_t* pool) {
    Fnv1a hash;
    hash.number(server.is_virtual != 0).number(server.port);
    hash.text(lower_case(server.server_hostname, pool));
    for (const server_addr_rec* address = server.addrs; address != nullptr;
         address = address->next) {
        hash.text(text_or_empty(address->virthost)).number(address->host_port);
    }
    return hash.value();
}

WorkerName worker_name(std::uint64_t server, const char* balancer, const char* worker,
                       const char* socket) {
    Fnv1a hash(server);
    for (const char* const part : {balancer, worker, socket}) {
        hash.text(text_or_empty(part));
    }
    return std::max<WorkerName>(hash.value(), 1);
}

const proxy_server_conf& proxy_config_of(const server_rec* server) {
    return *static_cast<const proxy_server_conf*>(
        ap_get_module_config(server->module_config, &proxy_module));
}

}  // namespace

WorkerDirectory::WorkerDirectory(server_rec* main_server) {
    apr_pool_t* scratch = nullptr;
    apr_pool_create(&scratch, main_server->process->pconf);
    std::unordered_map<std::uint64_t, std::uint64_t> equal;
    for (server_rec* server = main_server; server != nullptr; server = server->next) {
        const std::uint64_t hash = hash_of(*server, scratch);
        servers_[server] = Fnv1a(hash).number(equal[hash]++).value();
    }
    apr_pool_destroy(scratch);
    for (server_rec* server = main_server; server != nullptr; server = server->next) {
        each_worker_of(server, [&](proxy_worker* worker) {
            workers_.try_emplace(name_of(server, worker), Found{server, worker});
        });
        rewrites_.try_emplace(worker_name(servers_.at(server), "", kRewrites, ""), server);
    }
}

WorkerName WorkerDirectory::name_of(const server_rec* server, const proxy_worker* worker) const {
    const auto known = servers_.find(server);
    if (known == servers_.end()) {
        return 0;
    }
    const proxy_balancer* const balancer = worker->balancer;
    return worker_name(known->second, balancer != nullptr ? balancer->s->name : "",
                       wsp::name_of(*worker), worker->s->uds_path);
}

WorkerDirectory::Found WorkerDirectory::find(WorkerName name) const {
    const auto listed = workers_.find(name);
    if (listed != workers_.end()) {
        return listed->second;
    }
    const auto rewrites = rewrites_.find(name);
    if (rewrites == rewrites_.end()) {
        return {};
    }
    return {rewrites->second, proxy_config_of(rewrites->second).reverse};
}

std::vector<WorkerName> WorkerDirectory::names() const {
    std::vector<WorkerName> names;
    names.reserve(workers_.size() + rewrites_.size());
    for (const auto& [name, found] : workers_) {
        names.push_back(name);
    }
    for (const auto& [name, server] : rewrites_) {
        names.push_back(name);
    }
    return names;
}

}  // namespace wsp
