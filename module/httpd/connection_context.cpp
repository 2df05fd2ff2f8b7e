// Keeps one ConnectionContext per conn_rec in its conn_config.
#include "httpd/connection_context.hpp"

#include "httpd/boundary.hpp"

namespace wsp {

void note_connection(conn_rec* c) {
    if (c->master != nullptr) {
        return;
    }
    ap_set_module_config(c->conn_config, &proxy_websocket_module,
                         make_in_pool<ConnectionContext>(c->pool));
}

void note_ssl(conn_rec* c, SSL* ssl) {
    if (ConnectionContext* context = connection_context_of(c)) {
        context->ssl = ssl;
        context->secrets = std::make_unique<TlsSecrets>();
        context->secrets->attach(ssl);
    }
}

ConnectionContext* connection_context_of(conn_rec* c) {
    return static_cast<ConnectionContext*>(
        ap_get_module_config(c->conn_config, &proxy_websocket_module));
}

}  // namespace wsp
