// Directives, worker parameters and environment variables become a Policy and a lifetime.
#include "tunnel_terms.hpp"

#include <openssl/rand.h>

#include <algorithm>

namespace wsp {

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
    policy.group = config.on_member_down != 0 ? &worker : nullptr;
    if (config.idle_timeout_us != WSP_UNSET) {
        policy.idle_timeout = config.idle_timeout_us;
    } else if (worker.s->timeout_set) {
        policy.idle_timeout = worker.s->timeout;
    } else if (conf.timeout_set) {
        policy.idle_timeout = conf.timeout;
    }
    return policy;
}

DurationUs lifetime_for(request_rec* r, const wsp_dir_config& config) {
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
        return lifetime;
    }
    char* end = nullptr;
    const apr_int64_t seconds = apr_strtoi64(expires, &end, 10);
    if (end == expires || *end != '\0' || seconds <= 0 || seconds > APR_INT64_MAX / kSecond) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "WSP0106: the environment variable ws-expires must be seconds since 1970; it "
                      "is \"%s\" and is ignored",
                      expires);
        return lifetime;
    }
    const DurationUs left =
        std::max<DurationUs>(apr_time_from_sec(seconds) - apr_time_now(), kMillisecond);
    return lifetime == 0 ? left : std::min(lifetime, left);
}

}  // namespace wsp
