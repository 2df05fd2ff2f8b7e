// Finds what an item is about, and writes it as JSON.
#include "log/json_items.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "httpd/boundary.hpp"
#include "mod_log_config.h"
#include "protocol/clean_text.hpp"

namespace wsp {
namespace {

constexpr std::size_t kLongest = 8192;
constexpr char kNull[] = "null";

// mod_log_config shows these of the request before internal redirects.
const request_rec* first_of(const request_rec* r) {
    while (r->prev != nullptr) {
        r = r->prev;
    }
    return r;
}

// `item` is the name between the braces. Null: there is none.
const char* value_of(const request_rec* r, const char* item) {
    const char* const name = *item != '\0' && item[1] == ':' ? item + 2 : nullptr;
    switch (name != nullptr || item[0] == '\0' || item[1] == '\0' ? item[0] : '\0') {
        case 'i':
            return name != nullptr ? apr_table_get(r->headers_in, name) : nullptr;
        case 'o': {
            const char* const value =
                name != nullptr ? apr_table_get(r->headers_out, name) : nullptr;
            return value != nullptr || name == nullptr ? value
                                                       : apr_table_get(r->err_headers_out, name);
        }
        case 'n':
            return name != nullptr ? apr_table_get(r->notes, name) : nullptr;
        case 'e':
            return name != nullptr ? apr_table_get(r->subprocess_env, name) : nullptr;
        case 'u':
            return r->user;
        case 'm':
            return first_of(r)->method;
        case 'U':
            return first_of(r)->uri;
        case 'q':
            return first_of(r)->args;
        case 'H':
            return first_of(r)->protocol;
        default:
            return nullptr;
    }
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

// A quote and a backslash are all that clean text has and JSON has not.
std::string string_of(const char* value) {
    std::string text = "\"";
    for (const char c : clean_text(value, kLongest)) {
        if (c == '"' || c == '\\') {
            text += '\\';
        }
        text += c;
    }
    return text + '"';
}

extern "C" const char* json_string(request_rec* r, char* item) {
    return guarded_or<const char*>(kNull, [&]() -> const char* {
        const char* const value = value_of(r, item);
        return value != nullptr ? apr_pstrdup(r->pool, string_of(value).c_str()) : kNull;
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
