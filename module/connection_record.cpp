// Keeps one ConnectionRecord per conn_rec in its conn_config.
#include "connection_record.hpp"

#include "boundary.hpp"
#include "departure.hpp"

namespace wsp {

void note_connection(conn_rec* c) {
    if (c->master != nullptr) {
        return;
    }
    ap_set_module_config(c->conn_config, &proxy_websocket_module,
                         make_in_pool<ConnectionRecord>(c->pool));
}

void note_ssl(conn_rec* c, SSL* ssl) {
    if (ConnectionRecord* record = record_of(c)) {
        record->ssl = ssl;
    }
}

ConnectionRecord* record_of(conn_rec* c) {
    return static_cast<ConnectionRecord*>(
        ap_get_module_config(c->conn_config, &proxy_websocket_module));
}

}  // namespace wsp
