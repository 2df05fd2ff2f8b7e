// Keeps one LogContext for all servers of a configuration.
#include "log/log_context.hpp"

#include "config/config.h"
#include "httpd/boundary.hpp"
#include "log/logio_counters.hpp"
#include "util_cfgtree.h"

namespace wsp {
namespace {

wsp_server_config& config_of(const server_rec* server) {
    return *static_cast<wsp_server_config*>(
        ap_get_module_config(server->module_config, &proxy_websocket_module));
}

extern "C" void* open_log(apr_pool_t* pool, server_rec* server, const char* name) {
    return log_context_of(server).writer.open(pool, server, name);
}

extern "C" apr_status_t write_line(request_rec* r, void* handle, const char** parts, int* sizes,
                                   int count, apr_size_t size) {
    return log_context_of(r->server).writer.write(r, handle, parts, sizes, count, size);
}

void learn_from(const ap_directive_t* directive, const char* name, LogNeeds& needs) {
    for (; directive != nullptr; directive = directive->next) {
        if (strcasecmp(directive->directive, name) == 0 && directive->args != nullptr) {
            needs.learn(directive->args);
        }
        learn_from(directive->first_child, name, needs);
    }
}

}  // namespace

void make_log_context(apr_pool_t* pconf, server_rec* main_server) {
    auto* const context = make_in_pool<LogContext>(pconf);
    for (const server_rec* server = main_server; server != nullptr; server = server->next) {
        config_of(server).log_context = context;
    }
    context->writer.watch_opening_logs(open_log);
}

void learn_log_formats(apr_pool_t* pconf, apr_pool_t* ptemp, const server_rec* main_server) {
    LogContext& context = log_context_of(main_server);
    context.writer.end_of_opening_logs(open_log);
    for (const char* name :
         {"LogFormat", "CustomLog", "TransferLog", "GlobalLog", "ErrorLogFormat"}) {
        learn_from(ap_conftree, name, context.needs);
    }
    learn_from(ap_conftree, "ErrorLogFormat", context.error_log_needs);
    context.conditions.learn(pconf, ptemp, main_server, context.needs);
}

void begin_logs_of_child(apr_pool_t* pchild, server_rec* main_server) {
    LogContext& context = log_context_of(main_server);
    context.logio_layout_holds = is_logio_layout_known(pchild, main_server);
    context.served_bytes.learn_what_is_served();
    context.writer.stand_in(write_line);
}

LogContext& log_context_of(const server_rec* server) {
    return *static_cast<LogContext*>(config_of(server).log_context);
}

}  // namespace wsp
