// The wrappers, one per type of function, and the list of functions that need none.
#include "log/expression_wrappers.hpp"

#include <cstring>
#include <iterator>

#include "httpd/request_context.hpp"

namespace wsp {
namespace {

// True while httpd parses the configuration's expressions, and not those of an .htaccess file. Static: the expr_lookup
// hook is told neither the server nor the configuration. Main thread.
bool is_wrapping = false;

bool is_one_of(const char* name, const char* const* first, const char* const* last) {
    for (; first != last; ++first) {
        if (strcasecmp(*first, name) == 0) {
            return true;
        }
    }
    return false;
}

// True for a function that the copy answers as well as the request does, or better. server/util_expr_eval.c shows what
// each looks at.
bool copy_can_tell(int type, const char* name) {
    // The time is when the line is written. The access log writer asks the name server, as for %h.
    static constexpr const char* kVariables[] = {
        "TIME",     "TIME_YEAR", "TIME_MON",  "TIME_DAY",    "TIME_HOUR",
        "TIME_MIN", "TIME_SEC",  "TIME_WDAY", "REMOTE_HOST", "REMOTE_IDENT"};
    static constexpr const char* kFunctions[] = {
        "osenv",      "env",      "resp",    "req",    "http",     "note", "reqenv",
        "req_novary", "tolower",  "toupper", "escape", "unescape", "file", "filesize",
        "base64",     "unbase64", "sha1",    "md5",    "ldap"};
    static constexpr const char* kBinary[] = {"ipmatch", "fnmatch", "strmatch", "strcmatch"};
    switch (type) {
        case AP_EXPR_FUNC_VAR:
            return is_one_of(name, std::begin(kVariables), std::end(kVariables));
        case AP_EXPR_FUNC_STRING:
            return is_one_of(name, std::begin(kFunctions), std::end(kFunctions));
        case AP_EXPR_FUNC_OP_UNARY:
            // Not -U, -F and -A, which make subrequests.
            return std::strlen(name) == 1 && std::strchr("nzRTdefsLhx", *name) != nullptr;
        case AP_EXPR_FUNC_OP_BINARY:
            return is_one_of(name, std::begin(kBinary), std::end(kBinary));
        default:
            return false;
    }
}

const char* key_of(apr_pool_t* pool, const WrappedFunction& wrapped, const char* argument,
                   const char* second) {
    static constexpr const char* kTypes[] = {"var:", "str:", "list:", "op:", "op2:"};
    return apr_pstrcat(pool, kTypes[wrapped.type], wrapped.name,
                       argument != nullptr ? " " : nullptr, argument,
                       second != nullptr ? "\n" : nullptr, second, nullptr);
}

// Calls each(answer) for every answer of `key`. One by one, since a table's own functions take upper for lower case.
template <class Each>
void each_answer(const apr_table_t* answers, const char* key, Each each) {
    const apr_array_header_t* const rows = apr_table_elts(answers);
    for (int i = 0; i < rows->nelts; ++i) {
        const auto& row = APR_ARRAY_IDX(rows, i, apr_table_entry_t);
        if (std::strcmp(row.key, key) == 0) {
            each(row.val);
        }
    }
}

const char* answer(const apr_table_t* answers, const char* key) {
    const char* found = nullptr;
    each_answer(answers, key, [&found](const char* value) { found = value; });
    return found;
}

// Keeps an answer only if it is true or not empty. So no answer means false, or empty.
void keep(apr_table_t* answers, const char* key, const char* value) {
    if (value != nullptr && *value != '\0' && answer(answers, key) == nullptr) {
        apr_table_addn(answers, key, value);
    }
}

// What every wrapper does. For one of our copies it repeats the answer that was kept. For all others it calls `ask`,
// and keeps the answer if the request is just being asked for its copy.
template <class Ask, class Keep, class Repeat>
auto ask_or_repeat(ap_expr_eval_ctx_t* ctx, const WrappedFunction& wrapped, const char* argument,
                   const char* second, Ask ask, Keep keep_answer, Repeat repeat)
    -> decltype(ask()) {
    const RequestContext* const context = ctx->r != nullptr && ctx->r->request_config != nullptr
                                              ? find_request_context(ctx->r)
                                              : nullptr;
    if (context != nullptr && context->log_answers != nullptr) {
        return repeat(context->log_answers, key_of(ctx->p, wrapped, argument, second));
    }
    const auto result = ask();
    if (context != nullptr && context->keeps_answers != nullptr) {
        keep_answer(context->keeps_answers, key_of(ctx->p, wrapped, argument, second), result);
    }
    return result;
}

template <class Function>
Function* function_of(const WrappedFunction& wrapped) {
    return reinterpret_cast<Function*>(const_cast<void*>(wrapped.function));
}

void keep_truth(apr_table_t* answers, const char* key, int truth) {
    keep(answers, key, truth != 0 ? "1" : nullptr);
}

int repeat_truth(const apr_table_t* answers, const char* key) {
    return answer(answers, key) != nullptr ? 1 : 0;
}

extern "C" {

const char* variable_wrapper(ap_expr_eval_ctx_t* ctx, const void* data) {
    const WrappedFunction& wrapped = *static_cast<const WrappedFunction*>(data);
    return ask_or_repeat(
        ctx, wrapped, nullptr, nullptr,
        [&] { return function_of<ap_expr_var_func_t>(wrapped)(ctx, wrapped.data); }, keep, answer);
}

const char* string_wrapper(ap_expr_eval_ctx_t* ctx, const void* data, const char* argument) {
    const WrappedFunction& wrapped = *static_cast<const WrappedFunction*>(data);
    return ask_or_repeat(
        ctx, wrapped, argument, nullptr,
        [&] { return function_of<ap_expr_string_func_t>(wrapped)(ctx, wrapped.data, argument); },
        keep, answer);
}

apr_array_header_t* list_wrapper(ap_expr_eval_ctx_t* ctx, const void* data, const char* argument) {
    const WrappedFunction& wrapped = *static_cast<const WrappedFunction*>(data);
    const auto keep_list = [](apr_table_t* answers, const char* key,
                              const apr_array_header_t* list) {
        const bool is_new = answer(answers, key) == nullptr;
        for (int i = 0; is_new && list != nullptr && i < list->nelts; ++i) {
            apr_table_addn(answers, key, APR_ARRAY_IDX(list, i, const char*));
        }
    };
    const auto repeat = [ctx](const apr_table_t* answers, const char* key) {
        apr_array_header_t* const list = apr_array_make(ctx->p, 4, sizeof(const char*));
        each_answer(answers, key,
                    [list](const char* value) { APR_ARRAY_PUSH(list, const char*) = value; });
        return list;
    };
    return ask_or_repeat(
        ctx, wrapped, argument, nullptr,
        [&] { return function_of<ap_expr_list_func_t>(wrapped)(ctx, wrapped.data, argument); },
        keep_list, repeat);
}

int unary_wrapper(ap_expr_eval_ctx_t* ctx, const void* data, const char* argument) {
    const WrappedFunction& wrapped = *static_cast<const WrappedFunction*>(data);
    return ask_or_repeat(
        ctx, wrapped, argument, nullptr,
        [&] { return function_of<ap_expr_op_unary_t>(wrapped)(ctx, wrapped.data, argument); },
        keep_truth, repeat_truth);
}

int binary_wrapper(ap_expr_eval_ctx_t* ctx, const void* data, const char* left, const char* right) {
    const WrappedFunction& wrapped = *static_cast<const WrappedFunction*>(data);
    return ask_or_repeat(
        ctx, wrapped, left, right,
        [&] { return function_of<ap_expr_op_binary_t>(wrapped)(ctx, wrapped.data, left, right); },
        keep_truth, repeat_truth);
}

}  // extern "C"

const void* wrapper_for(int type) {
    switch (type) {
        case AP_EXPR_FUNC_VAR:
            return reinterpret_cast<const void*>(&variable_wrapper);
        case AP_EXPR_FUNC_STRING:
            return reinterpret_cast<const void*>(&string_wrapper);
        case AP_EXPR_FUNC_LIST:
            return reinterpret_cast<const void*>(&list_wrapper);
        case AP_EXPR_FUNC_OP_UNARY:
            return reinterpret_cast<const void*>(&unary_wrapper);
        case AP_EXPR_FUNC_OP_BINARY:
            return reinterpret_cast<const void*>(&binary_wrapper);
        default:
            return nullptr;
    }
}

}  // namespace

void begin_wrapping_functions() {
    is_wrapping = true;
}

void end_wrapping_functions() {
    is_wrapping = false;
}

int wrap_function(ap_expr_lookup_parms* parms) {
    // Set while the same hook asks the other modules.
    static bool inside = false;
    if (!is_wrapping || inside) {
        return DECLINED;
    }
    inside = true;
    const int status = ap_run_expr_lookup(parms);
    inside = false;
    if (status == OK && !copy_can_tell(parms->type, parms->name) &&
        wrapper_for(parms->type) != nullptr) {
        auto* const wrapped =
            static_cast<WrappedFunction*>(apr_palloc(parms->pool, sizeof(WrappedFunction)));
        *wrapped = {parms->type, apr_pstrdup(parms->pool, parms->name), *parms->func, *parms->data};
        *parms->func = wrapper_for(parms->type);
        *parms->data = wrapped;
    }
    return status;
}

const WrappedFunction* wrapped_function_of(const ap_expr_lookup_parms& parms) {
    return *parms.func == wrapper_for(parms.type) ? static_cast<const WrappedFunction*>(*parms.data)
                                                  : nullptr;
}

void ask_function(ap_expr_eval_ctx_t& ctx, const WrappedFunction& wrapped, const char* argument) {
    switch (wrapped.type) {
        case AP_EXPR_FUNC_VAR:
            variable_wrapper(&ctx, &wrapped);
            break;
        case AP_EXPR_FUNC_STRING:
            string_wrapper(&ctx, &wrapped, argument);
            break;
        case AP_EXPR_FUNC_LIST:
            list_wrapper(&ctx, &wrapped, argument);
            break;
        default:
            unary_wrapper(&ctx, &wrapped, argument);
    }
}

}  // namespace wsp
