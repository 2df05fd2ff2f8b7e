// Calls mod_logio through its hook and its optional functions.
#include "log/logio_counters.hpp"

#include <string_view>

// Declared by mod_logio's users themselves (server/core_filters.c does so); it has no public
// header.
APR_DECLARE_OPTIONAL_FN(void, ap_logio_add_bytes_out, (conn_rec * c, apr_off_t bytes));
APR_DECLARE_OPTIONAL_FN(void, ap_logio_add_bytes_in, (conn_rec * c, apr_off_t bytes));

namespace wsp {
namespace {

const apr_off_t* counters_of(conn_rec* c) {
    const module* const logio = ap_find_linked_module("mod_logio.c");
    return logio == nullptr
               ? nullptr
               : static_cast<const apr_off_t*>(ap_get_module_config(c->conn_config, logio));
}

ap_HOOK_pre_connection_t* pre_connection_of_logio() {
    const apr_array_header_t* const hooks = ap_hook_get_pre_connection();
    for (int i = 0; hooks != nullptr && i < hooks->nelts; ++i) {
        const auto& link = APR_ARRAY_IDX(hooks, i, ap_LINK_pre_connection_t);
        if (std::string_view(link.szName) == "mod_logio.c") {
            return link.pFunc;
        }
    }
    return nullptr;
}

}  // namespace

bool is_logio_layout_known(apr_pool_t* scratch, server_rec* server) {
    auto* const c = static_cast<conn_rec*>(apr_pcalloc(scratch, sizeof(conn_rec)));
    c->pool = scratch;
    c->base_server = server;
    c->conn_config = static_cast<ap_conf_vector_t*>(ap_create_conn_config(scratch));
    give_logio_counters(c, 7, 9);
    const apr_off_t* const counters = counters_of(c);
    return counters != nullptr && counters[0] == 7 && counters[1] == 9;
}

void read_logio_counters(conn_rec* c, apr_off_t& in, apr_off_t& out) {
    const apr_off_t* const counters = counters_of(c);
    in = counters != nullptr ? counters[0] : 0;
    out = counters != nullptr ? counters[1] : 0;
}

void give_logio_counters(conn_rec* copy, apr_off_t in, apr_off_t out) {
    auto* const add_in = APR_RETRIEVE_OPTIONAL_FN(ap_logio_add_bytes_in);
    auto* const add_out = APR_RETRIEVE_OPTIONAL_FN(ap_logio_add_bytes_out);
    ap_HOOK_pre_connection_t* const make_record = pre_connection_of_logio();
    if (add_in == nullptr || add_out == nullptr || make_record == nullptr) {
        return;
    }
    make_record(copy, nullptr);
    add_in(copy, in);
    add_out(copy, out);
}

}  // namespace wsp
