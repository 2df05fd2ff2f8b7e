// Learns what conditions ask of a request, asks it at the handoff, and gives the answers to the copy.
#include "log/log_conditions.hpp"

#include <cstring>
#include <utility>

#include "base/log_needs.hpp"
#include "httpd/config_tree.hpp"
#include "httpd/request_context.hpp"
#include "log/expression_wrappers.hpp"

namespace wsp {
namespace {

// The condition of a CustomLog or GlobalLog line; null: none.
const char* condition_of(const ap_directive_t* line, apr_pool_t* pool) {
    if ((strcasecmp(line->directive, "CustomLog") != 0 &&
         strcasecmp(line->directive, "GlobalLog") != 0) ||
        line->args == nullptr) {
        return nullptr;
    }
    const char* rest = line->args;
    ap_getword_conf(pool, &rest);
    ap_getword_conf(pool, &rest);
    const char* const clause = ap_getword_conf(pool, &rest);
    return strncasecmp(clause, "expr=", 5) == 0 ? clause + 5 : nullptr;
}

const server_rec* server_of(const ap_directive_t* line, const server_rec* main_server) {
    for (const ap_directive_t* section = line->parent; section != nullptr;
         section = section->parent) {
        for (const server_rec* server = main_server; server != nullptr; server = server->next) {
            // As server/core.c virtualhost_section notes it.
            if (server->is_virtual && server->defn_name != nullptr &&
                std::strcmp(server->defn_name, section->filename) == 0 &&
                server->defn_line_number == static_cast<unsigned>(section->line_num)) {
                return server;
            }
        }
    }
    return nullptr;
}

// What look_up_and_collect() adds to. Static: ap_expr_parse() gives its lookup function no argument of ours. Main
// thread.
struct {
    LogConditions::Condition* condition;
    LogNeeds* needs;
} parsing;

extern "C" int look_up_and_collect(ap_expr_lookup_parms* parms) {
    const int status = ap_run_expr_lookup(parms);
    if (status != OK) {
        return status;
    }
    if (const WrappedFunction* const wrapped = wrapped_function_of(*parms)) {
        const bool open = parms->type != AP_EXPR_FUNC_VAR &&
                          (parms->arg == nullptr || parms->type == AP_EXPR_FUNC_OP_BINARY);
        parsing.condition->open = parsing.condition->open || open;
        if (!open) {
            parsing.condition->questions.push_back({wrapped, parms->arg});
        }
    } else if (parms->type == AP_EXPR_FUNC_STRING) {
        parsing.needs->learn_function(parms->name, parms->arg);
    }
    return status;
}

// True if `condition` is what `text` says.
bool learn_condition(const char* text, const ap_directive_t* line, apr_pool_t* pconf,
                     apr_pool_t* ptemp, LogConditions::Condition& condition, LogNeeds& needs) {
    auto* const parsed = static_cast<ap_expr_info_t*>(apr_pcalloc(pconf, sizeof(ap_expr_info_t)));
    parsed->filename = line->filename;
    parsed->line_number = static_cast<unsigned>(line->line_num);
    parsed->flags = AP_EXPR_FLAG_DONT_VARY;
    parsed->module_index = APLOG_MODULE_INDEX;
    condition.parsed = parsed;
    parsing = {&condition, &needs};
    const char* const error = ap_expr_parse(pconf, ptemp, parsed, text, look_up_and_collect);
    parsing = {};
    // mod_log_config has parsed it before, and would have stopped httpd.
    return error == nullptr;
}

void ask_questions(const LogConditions::Condition& condition, request_rec* r) {
    const char* error = nullptr;
    ap_expr_eval_ctx_t ctx{};
    ctx.r = r;
    ctx.c = r->connection;
    ctx.s = r->server;
    ctx.p = r->pool;
    ctx.err = &error;
    ctx.info = condition.parsed;
    for (const LogConditions::Question& question : condition.questions) {
        ask_function(ctx, *question.wrapped, question.argument);
    }
    if (condition.open) {
        ap_expr_exec(r, condition.parsed, &error);  // only its questions matter, not the result
    }
}

}  // namespace

void expect_log_conditions() {
    const ap_directive_t* const found = find_directive(ap_conftree, [](const ap_directive_t* line) {
        return line->args != nullptr && std::strstr(line->args, "expr=") != nullptr;
    });
    if (found != nullptr) {
        begin_wrapping_functions();
    }
}

void LogConditions::learn(apr_pool_t* pconf, apr_pool_t* ptemp, const server_rec* main_server,
                          LogNeeds& needs) {
    find_directive(ap_conftree, [&](const ap_directive_t* line) {
        if (const char* const text = condition_of(line, ptemp)) {
            Condition condition;
            condition.server = server_of(line, main_server);
            if (learn_condition(text, line, pconf, ptemp, condition, needs)) {
                conditions_.push_back(std::move(condition));
            }
        }
        return false;
    });
    end_wrapping_functions();
}

apr_table_t* LogConditions::answers_for(request_rec* r) const {
    if (conditions_.empty()) {
        return nullptr;
    }
    apr_table_t* const answers = apr_table_make(r->pool, 8);
    RequestContext& context = request_context_of(r);
    context.keeps_answers = answers;
    for (const Condition& condition : conditions_) {
        if (condition.server == nullptr || condition.server == r->server) {
            ask_questions(condition, r);
        }
    }
    context.keeps_answers = nullptr;
    return answers;
}

void give_answers(request_rec* copy, const apr_table_t* answers) {
    request_context_of(copy).log_answers = answers;
}

}  // namespace wsp
