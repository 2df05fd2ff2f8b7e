// mod_proxy makes httpd's connections to backends, and mod_ssl their TLS.
#include "upstream/backend_tls.hpp"

namespace wsp {

int set_up_connection(const Backend& backend, BackendConnection& connection, request_rec* r) {
    proxy_conn_rec& record = *connection.record();
    const bool is_new = record.connection == nullptr;
    const int status = r != nullptr ? ap_proxy_connection_create_ex(connection.scheme(), &record, r)
                                    : ap_proxy_connection_create(connection.scheme(), &record,
                                                                 nullptr, backend.server());
    if (status == OK && is_new) {
        connection.io().put_on(record.connection);
    }
    return status;
}

// After set_up_connection() has failed. mod_proxy closes the connection in any case, so that nothing tells whether it
// was mod_ssl that refused. So mod_ssl is asked again, about a connection that is a copy of the client's, and with a
// log level at which it writes nothing.
bool may_speak_tls(request_rec* r) {
    static const ap_logconf kSilence = {nullptr, APLOG_EMERG};
    conn_rec c = *r->connection;
    c.pool = r->pool;
    c.base_server = r->server;
    c.conn_config = ap_create_conn_config(r->pool);
    c.notes = apr_table_make(r->pool, 1);
    c.master = nullptr;
    c.log = &kSilence;
    return ap_proxy_ssl_engine(&c, r->per_dir_config, 1) != 0;
}

ConnectFault shake_hands(BackendConnection& connection, MonotonicUs deadline) {
    proxy_conn_rec& record = *connection.record();
    if (!record.is_ssl) {
        return ConnectFault::none;
    }
    // mod_ssl shakes hands before it flushes.
    const BackendIo::Limit limit(connection.io(), deadline);
    conn_rec* const c = record.connection;
    apr_bucket_brigade* const brigade = apr_brigade_create(c->pool, c->bucket_alloc);
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_flush_create(c->bucket_alloc));
    const apr_status_t status = ap_pass_brigade(c->output_filters, brigade);
    apr_brigade_destroy(brigade);
    if (status == APR_SUCCESS && !c->aborted) {
        return ConnectFault::none;
    }
    switch (connection.io().fault()) {
        case BackendIo::Fault::timed_out:
            return ConnectFault::timed_out;
        case BackendIo::Fault::stopping:
            return ConnectFault::stopped;
        default:
            return ConnectFault::tls_failed;
    }
}

}  // namespace wsp
