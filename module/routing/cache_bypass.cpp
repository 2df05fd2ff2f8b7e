// Calls the functions that come after ours in a hook, except mod_cache's.
#include "routing/cache_bypass.hpp"

#include <string_view>

#include "httpd/request_headers.hpp"

namespace wsp {
namespace {

constexpr const char* kCache = "mod_cache.c";

// A subrequest is never a handshake, so the cache may serve it.
bool must_pass_cache(request_rec* r) {
    return r->main == nullptr && ap_find_linked_module(kCache) != nullptr && asks_for_websocket(r);
}

// Returns the first answer that is not DECLINED; DECLINED if there is none.
template <class Link, class Call>
int run_after_ours(const apr_array_header_t* hooks, const Call& call) {
    bool after = false;
    for (int i = 0; i < hooks->nelts; ++i) {
        const Link& link = APR_ARRAY_IDX(hooks, i, Link);
        const std::string_view name(link.szName);
        const bool ours = name == "mod_proxy_websocket.c";
        if (after && !ours && name != kCache) {
            const int status = call(link.pFunc);
            if (status != DECLINED) {
                return status;
            }
        }
        after = after || ours;
    }
    return DECLINED;
}

}  // namespace

int serve_past_cache(request_rec* r, int lookup) {
    if (lookup != 0 || !must_pass_cache(r)) {
        return DECLINED;
    }
    int status = run_after_ours<ap_LINK_quick_handler_t>(
        ap_hook_get_quick_handler(), [r](ap_HOOK_quick_handler_t* serve) { return serve(r, 0); });
    if (status == DECLINED) {
        status = ap_process_request_internal(r);
        if (status == OK) {
            status = ap_invoke_handler(r);
        }
    }
    // For DECLINED, httpd would run the request again, with mod_cache.
    return status == DECLINED ? HTTP_INTERNAL_SERVER_ERROR : status;
}

int handle_past_cache(request_rec* r) {
    if (r->proxyreq == PROXYREQ_NONE || !must_pass_cache(r)) {
        return DECLINED;
    }
    return run_after_ours<ap_LINK_handler_t>(ap_hook_get_handler(),
                                             [r](ap_HOOK_handler_t* handle) { return handle(r); });
}

}  // namespace wsp
