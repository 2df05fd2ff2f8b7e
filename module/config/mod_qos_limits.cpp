// Finds mod_qos's limits in the configuration. mod_qos stops counting a connection when the connection's pool is
// destroyed, and a request in log_transaction. Both happen when a tunnel is handed off.
#include "config/mod_qos_limits.hpp"

#include "config/config.h"
#include "httpd/config_tree.hpp"

namespace wsp {
namespace {

constexpr const char* kLimits[] = {
    "QS_SrvMaxConn",           "QS_SrvMaxConnPerIP",        "QS_LocRequestLimit",
    "QS_LocRequestLimitMatch", "QS_LocRequestLimitDefault", "QS_CondLocRequestLimitMatch",
    "QS_EventRequestLimit",    "QS_ClientEventRequestLimit"};

bool is_limit(const ap_directive_t* directive) {
    for (const char* const name : kLimits) {
        if (ap_cstr_casecmp(directive->directive, name) == 0) {
            return true;
        }
    }
    return false;
}

bool turns_async_on(const ap_directive_t* directive) {
    return ap_cstr_casecmp(directive->directive, "ProxyWebsocketAsync") == 0 &&
           ap_cstr_casecmp(directive->args, "On") == 0;
}

bool tunnels_may_leave(const server_rec* main_server) {
    for (const server_rec* server = main_server; server != nullptr; server = server->next) {
        const auto* const config = static_cast<const wsp_dir_config*>(
            ap_get_module_config(server->lookup_defaults, &proxy_websocket_module));
        if (wsp_dir_config_resolved(config).async != 0) {
            return true;
        }
    }
    return find_directive(ap_conftree, turns_async_on) != nullptr;
}

}  // namespace

void warn_of_mod_qos_limits(server_rec* main_server) {
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG ||
        ap_find_linked_module("mod_qos.c") == nullptr || !tunnels_may_leave(main_server)) {
        return;
    }
    if (const ap_directive_t* const limit = find_directive(ap_conftree, is_limit)) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, main_server,
                     "WSP0024: \"%s %s\" on line %d of %s does not count tunnels that have left "
                     "their request threads. "
                     "It limits handshakes only. Limit tunnels with max= of their workers, or let "
                     "them keep their threads with \"ProxyWebsocketAsync Off\"",
                     limit->directive, limit->args, limit->line_num, limit->filename);
    }
}

}  // namespace wsp
