// Looks for "ws:/host" in rewrite rules, URLs and arguments.
#include "routing/rewrite_targets.hpp"

#include <cstring>
#include <string_view>

#include "httpd/config_tree.hpp"
#include "httpd/limited_log.hpp"

namespace wsp {
namespace {

constexpr const char* kAdvice = "a WebSocket URL has two slashes, ws://host or wss://host";

// The text after "ws:/" or "wss:/"; null if `text` begins otherwise, or has the second slash.
const char* behind_one_slash(const char* text) {
    for (const std::string_view scheme : {"ws:/", "wss:/"}) {
        if (ap_cstr_casecmpn(text, scheme.data(), scheme.size()) == 0) {
            return text[scheme.size()] == '/' ? nullptr : text + scheme.size();
        }
    }
    return nullptr;
}

// The first "ws:/host" or "wss:/host" behind a slash of `path`; null if there is none.
const char* one_slash_in(const char* path) {
    for (const char* slash = std::strchr(path, '/'); slash != nullptr;
         slash = std::strchr(slash + 1, '/')) {
        if (behind_one_slash(slash + 1) != nullptr) {
            return slash + 1;
        }
    }
    return nullptr;
}

bool has_proxy_flag(apr_pool_t* pool, const char* flags) {
    char* rest = nullptr;
    char* const text = apr_pstrdup(pool, flags);
    for (const char* flag = apr_strtok(text, "[], \t\"'", &rest); flag != nullptr;
         flag = apr_strtok(nullptr, "[], \t\"'", &rest)) {
        if (ap_cstr_casecmp(flag, "P") == 0 || ap_cstr_casecmp(flag, "proxy") == 0) {
            return true;
        }
    }
    return false;
}

bool is_one_slash_rule(apr_pool_t* pool, const ap_directive_t* directive) {
    if (ap_cstr_casecmp(directive->directive, "RewriteRule") != 0) {
        return false;
    }
    const char* rest = directive->args;
    ap_getword_conf(pool, &rest);  // the pattern
    const char* const host = behind_one_slash(ap_getword_conf(pool, &rest));
    // A variable may bring the second slash.
    return host != nullptr && *host != '$' && *host != '%' && has_proxy_flag(pool, rest);
}

}  // namespace

void warn_of_one_slash_rules(server_rec* main_server) {
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG &&
        ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_NORMAL) {
        return;  // httpd reads the configuration twice when it starts
    }
    apr_pool_t* const pool = main_server->process->pconf;
    const ap_directive_t* const rule = find_directive(
        ap_conftree,
        [pool](const ap_directive_t* directive) { return is_one_slash_rule(pool, directive); });
    if (rule != nullptr) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, main_server,
                     "WSP0020: \"RewriteRule %s\" on line %d of %s leads nowhere: %s", rule->args,
                     rule->line_num, rule->filename, kAdvice);
    }
}

bool leads_to_one_slash(request_rec* r, const char* url) {
    const char* const host = one_slash_in(url);
    if (host == nullptr || r->proxyreq != PROXYREQ_REVERSE || one_slash_in(r->uri) != nullptr) {
        return false;
    }
    // As mod_rewrite.c fully_qualify_uri turns a path into a URL.
    const std::string_view this_server = ap_construct_url(r->pool, "/", r);
    if (std::string_view(url).substr(0, this_server.size()) != this_server) {
        return false;
    }
    warn(r,
         apr_psprintf(
             r->pool,
             "WSP0126: request %s %s refused with 500: a RewriteRule leads to %s, which is "
             "a path on this server: %s; correct the rule, which may be in an .htaccess file",
             r->method, r->uri, host, kAdvice),
         {APLOG_ERR});
    return true;
}

const char* advice_on_slashes(apr_pool_t* pool, const char* args) {
    while (*args != '\0') {
        if (behind_one_slash(ap_getword_conf(pool, &args)) != nullptr) {
            return apr_pstrcat(pool, " (", kAdvice, ")", nullptr);
        }
    }
    return "";
}

}  // namespace wsp
