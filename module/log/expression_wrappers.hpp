// Variables, functions and operators of httpd's expressions, for the copies that conditions of access logs are judged on
// (log_conditions.hpp). While the configuration is read, one that a copy could not answer gets a function of ours in front of
// httpd's or another module's: it asks that for everybody but our copies, which repeat what their request has answered in time.
#pragma once

#include "ap_expr.h"
#include "httpd/httpd.hpp"

namespace wsp {

// One that has a function of ours in front; lives in its expression's pool.
struct WrappedFunction {
    int type;  // AP_EXPR_FUNC_...
    const char* name;
    const void* function;  // httpd's, or another module's
    const void* data;
};

// Main thread. Between the two calls wrap_function() puts functions in front.
void begin_wrapping_functions();
void end_wrapping_functions();

// The expr_lookup hook, first of all.
int wrap_function(ap_expr_lookup_parms* parms);

// What the lookup has found, when it is one of ours; else null.
const WrappedFunction* wrapped_function_of(const ap_expr_lookup_parms& parms);

// Asks ctx's request, whose record says where its answers go. `argument` is null for a variable; no binary operator.
void ask_function(ap_expr_eval_ctx_t& ctx, const WrappedFunction& wrapped, const char* argument);

}  // namespace wsp
