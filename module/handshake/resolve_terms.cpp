// Directives, worker parameters and environment variables become a Policy and a lifetime.
#include "handshake/resolve_terms.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <cstdint>

#include "httpd/limited_log.hpp"
#include "routing/mapping.hpp"
#include "tunnel/shared_policies.hpp"
#include "upstream/member_watch.hpp"
#include "upstream/worker_parameters.hpp"

namespace wsp {
namespace {

void set_close_codes(Policy& policy, const wsp_dir_config& config) {
    const auto code = [](int64_t value) { return static_cast<std::uint16_t>(value); };
    const auto* const main = static_cast<const wsp_server_config*>(
        ap_get_module_config(ap_server_conf->module_config, &proxy_websocket_module));
    policy.close_code_idle = code(config.close_code_idle);
    policy.close_code_lifetime = code(config.close_code_lifetime);
    policy.close_code_expired = code(config.close_code_expires);
    policy.close_code_drain =
        code(main->drain_code != WSP_UNSET ? main->drain_code : config.close_code_drain);
    policy.close_code_stop = code(config.close_code_stop);
    policy.close_code_member_down = code(config.close_code_member_down);
}

// 0: no limit.
DurationUs idle_timeout_for(const request_rec* r, const proxy_worker& worker,
                            const proxy_server_conf& conf, const wsp_dir_config& config) {
    if (config.idle_timeout_us != WSP_UNSET) {
        return config.idle_timeout_us;
    }
    const DurationUs set = proxy_timeout_of(worker, conf);
    return set > 0 ? std::max<DurationUs>(set, r->server->timeout) : 0;
}

Policy policy_for(request_rec* r, const proxy_worker& worker, const proxy_server_conf& conf,
                  const wsp_dir_config& config) {
    Policy policy;
    policy.buffer_size = static_cast<std::size_t>(config.buffer_size);
    policy.close_timeout = config.close_timeout_us;
    policy.send_timeout = config.send_timeout_us;
    policy.validate = static_cast<Validate>(config.validate);
    policy.ping_interval = config.ping_interval_us;
    policy.ping_deadline = config.ping_deadline_us;
    policy.ping_backend = config.ping_backend != 0;
    policy.half_close = apr_table_get(r->subprocess_env, "proxy-nohalfclose") == nullptr;
    policy.max_message_from_client = static_cast<std::uint64_t>(config.max_message_client);
    policy.max_message_from_backend = static_cast<std::uint64_t>(config.max_message_backend);
    policy.message_rate = static_cast<std::uint32_t>(config.message_rate);
    policy.message_burst = static_cast<std::uint32_t>(config.message_burst);
    policy.idle_timeout = idle_timeout_for(r, worker, conf, config);
    set_close_codes(policy, config);
    return policy;
}

Lifetime lifetime_for(request_rec* r, const wsp_dir_config& config) {
    DurationUs lifetime = config.max_lifetime_us;
    if (lifetime > 0 && config.lifetime_jitter_percent > 0) {
        std::uint32_t random = 0;
        RAND_bytes(reinterpret_cast<unsigned char*>(&random), sizeof random);
        const double share = static_cast<double>(random) / 4294967296.0;
        lifetime -=
            static_cast<DurationUs>(share * static_cast<double>(lifetime) *
                                    static_cast<double>(config.lifetime_jitter_percent) / 100);
        lifetime = std::max<DurationUs>(lifetime, kMillisecond);
    }
    const char* const expires = apr_table_get(r->subprocess_env, "ws-expires");
    if (expires == nullptr) {
        return {lifetime};
    }
    char* end = nullptr;
    const apr_int64_t seconds = apr_strtoi64(expires, &end, 10);
    if (end == expires || *end != '\0' || seconds <= 0 || seconds > APR_INT64_MAX / kSecond) {
        warn(r, apr_psprintf(r->pool,
                             "WSP0106: the environment variable ws-expires must be seconds since "
                             "1970; it is \"%s\" and is ignored; %s",
                             expires, name_of_request(r)));
        return {lifetime};
    }
    const DurationUs left =
        std::max<DurationUs>(apr_time_from_sec(seconds) - apr_time_now(), kMillisecond);
    return lifetime > 0 && lifetime < left ? Lifetime{lifetime}
                                           : Lifetime{left, EndReason::expired};
}

}  // namespace

TunnelTerms resolve_terms(SharedPolicies& policies, request_rec* r, const proxy_worker& worker,
                          const proxy_server_conf& conf, const wsp_dir_config& config, bool raw) {
    return {policies.share(policy_for(r, worker, conf, config)), lifetime_for(r, config), 0, raw};
}

TunnelGroup::Subscription group_for(MemberWatch& members, proxy_worker* worker,
                                    const wsp_dir_config& config) {
    return config.on_member_down != 0 ? members.subscribe(worker) : TunnelGroup::Subscription();
}

}  // namespace wsp
