// Replaces mod_ssl's log items.
#include "log/ssl_log_items.hpp"

#include <cstring>
#include <string>

#include "mod_log_config.h"
#include "mod_ssl.h"

namespace wsp {
namespace {

// A request has no table for mod_ssl's variables, so they are notes with this prefix.
constexpr char kSslNote[] = "wsp-ssl:";

const char* or_null(const char* value) {
    return value != nullptr && *value != '\0' ? value : nullptr;
}

const char* look_up(request_rec* r, const char* name) {
    auto* const ask = APR_RETRIEVE_OPTIONAL_FN(ssl_var_lookup);
    return ask == nullptr ? nullptr
                          : ask(r->pool, r->server, r->connection, r, apr_pstrdup(r->pool, name));
}

const char* variable(request_rec* r, const char* name) {
    const char* const noted =
        apr_table_get(r->notes, apr_pstrcat(r->pool, kSslNote, name, nullptr));
    return or_null(noted != nullptr ? noted : look_up(r, name));
}

// modules/ssl/ssl_engine_vars.c ssl_var_lookup_ssl_cert_verify puts the error behind a word.
const char* verify_error(const char* verified) {
    static constexpr char kFailed[] = "FAILED:";
    if (verified == nullptr || std::strcmp(verified, "NONE") == 0 ||
        std::strcmp(verified, "SUCCESS") == 0) {
        return nullptr;
    }
    const std::size_t size = std::strlen(kFailed);
    return std::strncmp(verified, kFailed, size) == 0 ? verified + size : verified;
}

extern "C" const char* ssl_item_x(request_rec* r, char* name) {
    return variable(r, name);
}

extern "C" const char* ssl_item_c(request_rec* r, char* name) {
    const std::string asked(variable_of_ssl_item(name));
    const char* const value = asked.empty() ? nullptr : variable(r, asked.c_str());
    return std::strcmp(name, "errstr") == 0 ? or_null(verify_error(value)) : value;
}

}  // namespace

void wrap_ssl_log_items(apr_pool_t* pool) {
    auto* const register_handler = APR_RETRIEVE_OPTIONAL_FN(ap_register_log_handler);
    if (register_handler != nullptr && ap_find_linked_module("mod_ssl.c") != nullptr) {
        register_handler(pool, apr_pstrdup(pool, "x"), ssl_item_x, 0);
        register_handler(pool, apr_pstrdup(pool, "c"), ssl_item_c, 0);
    }
}

apr_table_t* ssl_variables(request_rec* r, const LogNeeds::Names& wanted) {
    apr_table_t* const found = apr_table_make(r->pool, 4);
    for (const std::string& name : wanted.listed) {
        const char* const value = look_up(r, name.c_str());
        apr_table_setn(found, apr_pstrcat(r->pool, kSslNote, name.c_str(), nullptr),
                       value != nullptr ? value : "");
    }
    return found;
}

}  // namespace wsp
