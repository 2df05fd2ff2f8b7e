// Says the version in the places where administrators look for it.
#include "version.hpp"

namespace wsp {

void log_version(server_rec* main_server) {
    if (ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_CREATE_PRE_CONFIG) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, main_server,
                     "WSP0022: mod_proxy_websocket/" WSP_VERSION
                     ", built with httpd " AP_SERVER_BASEREVISION " and " OPENSSL_VERSION_TEXT);
    }
}

void list_version(apr_pool_t* pool) {
    apr_file_t* out = nullptr;
    if (ap_exists_config_define("DUMP_MODULES") &&
        apr_file_open_stdout(&out, pool) == APR_SUCCESS) {
        apr_file_printf(out, "mod_proxy_websocket/" WSP_VERSION "\n");
    }
}

}  // namespace wsp
