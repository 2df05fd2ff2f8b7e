// Keeps one RequestContext per request_rec in its request_config, where one is needed.
#include "httpd/request_context.hpp"

#include "httpd/boundary.hpp"

namespace wsp {

RequestContext* find_request_context(request_rec* r) {
    return static_cast<RequestContext*>(
        ap_get_module_config(r->request_config, &proxy_websocket_module));
}

RequestContext& request_context_of(request_rec* r) {
    RequestContext* context = find_request_context(r);
    if (context == nullptr) {
        context = make_in_pool<RequestContext>(r->pool);
        ap_set_module_config(r->request_config, &proxy_websocket_module, context);
    }
    return *context;
}

}  // namespace wsp
