// Reads ProxyPassWS lines. mod_proxy's handler of ProxyPass reads the arguments and defines the worker. The mapping
// that it adds to mod_proxy's list is then moved to ours.
#include <cstring>
#include <string_view>

#include "config/config.h"
#include "httpd/httpd.hpp"
#include "routing/rewrite_targets.hpp"

namespace wsp {
namespace {

// Refuses three kinds of sections. httpd looks at sections of files after it has mapped a request, and at <Proxy>
// sections when the backend is known. A worker from an .htaccess file would live longer than the file's memory.
const char* complaint_about_place(cmd_parms* cmd) {
    const char* const error =
        ap_check_cmd_context(cmd, NOT_IN_DIRECTORY | NOT_IN_FILES | NOT_IN_PROXY | NOT_IN_HTACCESS);
    return error == nullptr
               ? nullptr
               : apr_pstrcat(cmd->pool, error,
                             "; write it into a <VirtualHost>, into a <Location> or outside all "
                             "sections",
                             nullptr);
}

// Needed since mod_proxy's own messages name only a path, and ProxyPassMatch.
const char* complaint_about_count(cmd_parms* cmd, const char* args) {
    const bool in_section = cmd->path != nullptr;  // which has the path
    const char* word = ap_getword_conf(cmd->temp_pool, &args);
    if (!in_section && std::strcmp(word, "~") == 0) {
        word = ap_getword_conf(cmd->temp_pool, &args);
    }
    if (!in_section && *word != '\0') {
        word = ap_getword_conf(cmd->temp_pool, &args);
    }
    if (*word != '\0') {
        return nullptr;
    }
    return in_section ? "ProxyPassWS needs the URL of a backend, as in ProxyPassWS "
                        "ws://127.0.0.1:9000/"
                      : "ProxyPassWS needs a path and the URL of a backend, as in ProxyPassWS "
                        "/chat/ ws://127.0.0.1:9000/";
}

// True if the path of the section around the line is a regular expression.
bool is_in_regex_section(const cmd_parms* cmd) {
    const ap_directive_t* const section = cmd->directive->parent;
    if (section == nullptr || cmd->path == nullptr) {
        return false;
    }
    const char* args = section->args;
    return ap_cstr_casecmp(section->directive, "<LocationMatch") == 0 ||
           (ap_cstr_casecmp(section->directive, "<Location") == 0 &&
            std::strcmp(ap_getword_conf(cmd->temp_pool, &args), "~") == 0);
}

// mod_proxy has turned "unix:/path|ws://host" into the URL behind the bar.
bool leads_to_websocket(const char* url) {
    for (const std::string_view scheme : {"ws:", "wss:", "http:", "https:", "balancer:"}) {
        if (ap_cstr_casecmpn(url, scheme.data(), scheme.size()) == 0) {
            return true;
        }
    }
    return std::strcmp(url, "!") == 0;
}

// The two places where mod_proxy keeps the mapping of a line.
struct ProxyMappings {
    proxy_dir_conf* section;
    apr_array_header_t* of_server;
};

// ap_set_config_vectors() makes mod_proxy's configuration of a virtual host, if no directive of mod_proxy has made it
// before.
ProxyMappings proxy_mappings_of(cmd_parms* cmd) {
    auto* const section = static_cast<proxy_dir_conf*>(
        ap_set_config_vectors(cmd->server, cmd->context, cmd->path, &proxy_module, cmd->pool));
    const auto* const server = static_cast<proxy_server_conf*>(
        ap_get_module_config(cmd->server->module_config, &proxy_module));
    return {section, server->aliases};
}

// ProxyPass takes the path of a section literally; only ProxyPassMatch reads it as a regular expression.
const char* run_proxy_pass(cmd_parms* cmd, proxy_dir_conf* section, const char* args) {
    const command_rec* const proxy_pass = ap_find_command(
        is_in_regex_section(cmd) ? "ProxyPassMatch" : "ProxyPass", proxy_module.cmds);
    if (proxy_pass == nullptr) {
        return "ProxyPassWS needs mod_proxy: load mod_proxy before mod_proxy_websocket";
    }
    cmd_parms as_proxy_pass = *cmd;
    as_proxy_pass.cmd = proxy_pass;
    as_proxy_pass.info = proxy_pass->cmd_data;
    const char* const error = wsp_run_raw_args(&as_proxy_pass, section, args);
    return error == nullptr ? nullptr
                            : apr_pstrcat(cmd->pool, "ProxyPassWS: ", error,
                                          advice_on_slashes(cmd->pool, args), nullptr);
}

// Sets `mapping` to the mapping of `args`. Returns null or an error message.
const char* read_mapping(cmd_parms* cmd, wsp_dir_config& config, const char* args,
                         const proxy_alias*& mapping) {
    const ProxyMappings proxy = proxy_mappings_of(cmd);
    proxy_alias* const alias_before = proxy.section->alias;
    const unsigned set_before = proxy.section->alias_set;
    const int count_before = proxy.of_server->nelts;
    if (const char* const error = run_proxy_pass(cmd, proxy.section, args)) {
        return error;
    }
    if (proxy.of_server->nelts > count_before) {
        auto* const server = static_cast<wsp_server_config*>(
            ap_get_module_config(cmd->server->module_config, &proxy_websocket_module));
        auto& pushed = APR_ARRAY_PUSH(server->mappings, proxy_alias);
        pushed = *static_cast<proxy_alias*>(apr_array_pop(proxy.of_server));
        mapping = &pushed;
    } else {
        mapping = config.mapping = proxy.section->alias;
        proxy.section->alias = alias_before;
        proxy.section->alias_set = set_before;
    }
    return nullptr;
}

}  // namespace
}  // namespace wsp

extern "C" const char* wsp_set_proxy_pass_ws(cmd_parms* cmd, void* dir_config, const char* args) {
    const char* error = wsp::complaint_about_place(cmd);
    if (error == nullptr) {
        error = wsp::complaint_about_count(cmd, args);
    }
    const proxy_alias* mapping = nullptr;
    if (error == nullptr) {
        error = wsp::read_mapping(cmd, *static_cast<wsp_dir_config*>(dir_config), args, mapping);
    }
    if (error != nullptr || wsp::leads_to_websocket(mapping->real)) {
        return error;
    }
    return apr_psprintf(cmd->pool,
                        "ProxyPassWS: the url must begin with ws, wss, http, https, balancer or "
                        "unix:; it is \"%s\"",
                        mapping->real);
}
