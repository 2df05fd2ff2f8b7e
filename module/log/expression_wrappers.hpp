// Wraps functions of httpd's expressions: variables, functions and operators (ap_expr.h). Conditions of access logs are
// judged on copies of requests (log_conditions.hpp), and some functions look at more than a copy has. While the
// configuration is read, each of those gets a wrapper in front of the function of httpd or of another module. For a
// copy the wrapper repeats what the request has answered at the handoff; for everything else it calls the function.
#pragma once

#include "ap_expr.h"
#include "httpd/httpd.hpp"

namespace wsp {

// A function that has a wrapper. Lives in its expression's pool.
struct WrappedFunction {
    int type;  // AP_EXPR_FUNC_...
    const char* name;
    const void* function;  // httpd's, or another module's
    const void* data;
};

// Main thread. Between these two calls wrap_function() wraps.
void begin_wrapping_functions();
void end_wrapping_functions();

// The expr_lookup hook, first of all. Main thread, and request threads that parse an .htaccess file.
int wrap_function(ap_expr_lookup_parms* parms);

// The function that a lookup has found, if it is wrapped; else null.
const WrappedFunction* wrapped_function_of(const ap_expr_lookup_parms& parms);

// Asks ctx's request; its RequestContext says where the answer is kept. `argument` is null for a variable. Not for
// binary operators. Request thread; may take as long as a subrequest does.
void ask_function(ap_expr_eval_ctx_t& ctx, const WrappedFunction& wrapped, const char* argument);

}  // namespace wsp
