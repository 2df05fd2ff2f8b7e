// Runs log_transaction functions one by one, as httpd keeps them in its list of hooks.
#include "log/log_transaction.hpp"

#include <string_view>

#include "httpd/connection_context.hpp"
#include "httpd/request_context.hpp"

namespace wsp {
namespace {

void run_other_loggers(request_rec* r) {
    const apr_array_header_t* const hooks = ap_hook_get_log_transaction();
    for (int i = 0; i < hooks->nelts; ++i) {
        const auto& link = APR_ARRAY_IDX(hooks, i, ap_LINK_log_transaction_t);
        const std::string_view name(link.szName);
        if (name != "mod_log_config.c" && name != "mod_proxy_websocket.c") {
            link.pFunc(r);
        }
    }
}

}  // namespace

request_rec* first_request_of(request_rec* r) {
    while (r->prev != nullptr) {
        r = r->prev;
    }
    return r;
}

void log_request_now(request_rec* r) {
    request_rec* const first = first_request_of(r);  // as httpd does
    ap_run_log_transaction(first);
    request_context_of(first).logged = true;
}

int log_handed_off_request(request_rec* r) {
    const RequestContext* const request = find_request_context(r);
    if (request != nullptr && request->logged) {
        return DONE;
    }
    const ConnectionContext* const connection = connection_context_of(r->connection);
    if (connection == nullptr || !connection->handoff) {
        return DECLINED;
    }
    run_other_loggers(r);
    return DONE;
}

}  // namespace wsp
