// Finds what an item is about, and writes it as JSON.
#include "log/json_items.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "exposition/text.hpp"
#include "httpd/boundary.hpp"
#include "log/log_transaction.hpp"
#include "mod_log_config.h"
#include "protocol/clean_text.hpp"

namespace wsp {
namespace {

constexpr std::size_t kLongest = 8192;
constexpr char kNull[] = "null";

// Of "i:Cookie" and its like. Null: there is none.
const char* named_value_of(const request_rec* r, char kind, const char* name) {
    switch (kind) {
        case 'i':
            return apr_table_get(r->headers_in, name);
        case 'o': {
            const char* const value = apr_table_get(r->headers_out, name);
            return value != nullptr ? value : apr_table_get(r->err_headers_out, name);
        }
        case 'n':
            return apr_table_get(r->notes, name);
        case 'e':
            return apr_table_get(r->subprocess_env, name);
        default:
            return nullptr;
    }
}

// Of "m" and its like. Null: there is none. mod_log_config shows most of them of the request before internal redirects.
const char* plain_value_of(request_rec* r, char kind) {
    switch (kind) {
        case 'u':
            return r->user;
        case 'm':
            return first_request_of(r)->method;
        case 'U':
            return first_request_of(r)->uri;
        case 'q':
            return first_request_of(r)->args;
        case 'H':
            return first_request_of(r)->protocol;
        default:
            return nullptr;
    }
}

// `item` is what stands between the braces.
const char* value_of(request_rec* r, const char* item) {
    if (item[0] != '\0' && item[1] == ':') {
        return named_value_of(r, item[0], item + 2);
    }
    return item[0] != '\0' && item[1] == '\0' ? plain_value_of(r, item[0]) : nullptr;
}

// RFC 8259 6, without signs and exponents.
bool is_number(std::string_view text) {
    const std::string_view whole = text.substr(0, text.find('.'));
    const std::string_view fraction = text.substr(std::min(whole.size() + 1, text.size()));
    const auto are_digits = [](std::string_view digits) {
        return !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
    };
    return are_digits(whole) && (whole.size() == 1 || whole[0] != '0') &&
           (whole.size() == text.size() || are_digits(fraction));
}

extern "C" const char* json_string(request_rec* r, char* item) {
    return guarded_or<const char*>(kNull, [&]() -> const char* {
        const char* const value = value_of(r, item);
        if (value == nullptr) {
            return kNull;
        }
        std::string text;
        append_json(text, clean_text(value, kLongest));
        return apr_pstrdup(r->pool, text.c_str());
    });
}

extern "C" const char* json_number(request_rec* r, char* item) {
    const char* const value = value_of(r, item);
    return value != nullptr && is_number(value) ? value : kNull;
}

}  // namespace

void register_json_items(apr_pool_t* pconf) {
    if (auto* const add = APR_RETRIEVE_OPTIONAL_FN(ap_register_log_handler)) {
        add(pconf, apr_pstrdup(pconf, "^js"), json_string, 0);
        add(pconf, apr_pstrdup(pconf, "^jn"), json_number, 0);
    }
}

}  // namespace wsp
