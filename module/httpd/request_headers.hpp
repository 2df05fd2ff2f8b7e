// httpd's header tables as lib's HeaderSource.
#pragma once

#include "httpd/httpd.hpp"
#include "protocol/handshake.hpp"

namespace wsp {

// Refers to the table, which must outlive it. Joined values are allocated in the pool.
class TableHeaders final : public HeaderSource {
  public:
    TableHeaders(apr_pool_t* pool, const apr_table_t* table) : pool_(pool), table_(table) {}
    std::string_view get(std::string_view name) const noexcept override;

  private:
    apr_pool_t* pool_;
    const apr_table_t* table_;
};

// The request's Upgrade header lists websocket.
bool asks_for_websocket(request_rec* r);

}  // namespace wsp
