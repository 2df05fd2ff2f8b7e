// Makes and destroys mod_proxy's record as proxy_util.c does.
#include "upstream/backend_connection.hpp"

#include "httpd/socket_fd.hpp"

namespace wsp {

BackendConnection::BackendConnection(const Backend& backend, const char* scheme, bool tls)
    : io_(backend.stops().stop), server_(backend.server()), scheme_(scheme) {
    apr_pool_t* pool = nullptr;
    apr_pool_create(&pool, backend.worker()->cp->pool);
    apr_pool_tag(pool, "wsp_backend_connection");
    record_ = static_cast<proxy_conn_rec*>(apr_pcalloc(pool, sizeof(proxy_conn_rec)));
    record_->pool = pool;
    record_->worker = backend.worker();
    record_->is_ssl = tls;
    apr_pool_create(&record_->scpool, pool);
}

BackendConnection::~BackendConnection() {
    apr_pool_t* const path_pool = path_pool_of(*record_);  // no child of record_->pool
    apr_pool_destroy(record_->pool);
    if (path_pool != nullptr) {
        apr_pool_destroy(path_pool);
    }
}

bool BackendConnection::is_alive() noexcept {
    return record_->sock != nullptr &&
           ap_proxy_check_connection(scheme_, record_, server_, 0, PROXY_CHECK_CONN_EMPTY) ==
               APR_SUCCESS;
}

int BackendConnection::fd() const noexcept {
    return record_->sock != nullptr ? fd_of(record_->sock) : -1;
}

void BackendConnection::forget_request() {
    if (record_->is_ssl && record_->connection != nullptr) {
        ap_proxy_ssl_engine(record_->connection, record_->worker->section_config, 1);
    }
}

}  // namespace wsp
