/* The module record and the command table. C, since httpd's AP_INIT_* macros are, and named so
 * because httpd takes the name for <IfModule mod_proxy_websocket.c> from this file's. What a
 * directive is stands in directives.def, how its value is read in directive_setters.c. */
#include <stddef.h>

#include "httpd.h"

#include "apr_strings.h"
#include "config/config.h"
#include "config/directive_setters.h"
#include "hooks.h"
#include "mod_proxy.h"

#define WSP_CUSTOM(name, handler, syntax, context, doc)
#define WSP_HANDLED(name, handler, how, syntax, def, context, doc)
#define WSP_VALUE(field, def, context)

/* A row's context chooses the struct that its field is in. */
enum { IS_GLOBAL_WSP_ANYWHERE = 0, IS_GLOBAL_WSP_GLOBAL = 1 };
#define OFFSET_WSP_ANYWHERE(field) offsetof(wsp_dir_config, field)
#define OFFSET_WSP_GLOBAL(field) offsetof(wsp_server_config, field)
#define WSP_DIRECTIVE(name, field, type, def, min, max, context, doc)              \
    static const wsp_setting setting_##field = {OFFSET_##context(field), min, max, \
                                                IS_GLOBAL_##context};
#include "config/directives.def"
#undef WSP_DIRECTIVE

#undef WSP_CUSTOM
#undef WSP_HANDLED
#define WSP_HANDLED(name, handler, how, syntax, def, context, doc) \
    AP_INIT_##how(name, handler, NULL, context, doc),
#define WSP_CUSTOM(name, handler, syntax, context, doc) \
    AP_INIT_RAW_ARGS(name, handler, NULL, context, doc),
#define WSP_DIRECTIVE(name, field, type, def, min, max, context, doc) \
    AP_INIT_TAKE1(name, wsp_set_##type, (void*)&setting_##field, context, doc),
static const command_rec commands[] = {
#include "config/directives.def"
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL}};
#undef WSP_DIRECTIVE
#undef WSP_CUSTOM
#undef WSP_HANDLED
#undef WSP_VALUE
#define WSP_CUSTOM(name, handler, syntax, context, doc)
#define WSP_HANDLED(name, handler, how, syntax, def, context, doc)
#define WSP_VALUE(field, def, context) EACH_##context(field, def)

/* What to do with the fields of either struct: one set of names for all functions below. */
#define WSP_DIRECTIVE(name, field, type, def, min, max, context, doc) EACH_##context(field, def)
#define NOTHING(field, def)
#define UNSET(field, def) config->field = WSP_UNSET;
#define INNER(field, def) merged->field = inner->field != WSP_UNSET ? inner->field : outer->field;
#define RESOLVE(field, def) resolved.field = config->field != WSP_UNSET ? config->field : (def);

static void* create_dir_config(apr_pool_t* pool, char* dir) {
    wsp_dir_config* config = apr_pcalloc(pool, sizeof *config);
    (void)dir;
#define EACH_WSP_ANYWHERE UNSET
#define EACH_WSP_WORKER UNSET
#define EACH_WSP_GLOBAL NOTHING
#include "config/directives.def"
#undef EACH_WSP_ANYWHERE
#undef EACH_WSP_WORKER
#undef EACH_WSP_GLOBAL
    return config;
}

static void* merge_dir_config(apr_pool_t* pool, void* base, void* add) {
    const wsp_dir_config *outer = base, *inner = add;
    wsp_dir_config* merged = apr_pmemdup(pool, inner, sizeof *inner);
#define EACH_WSP_ANYWHERE INNER
#define EACH_WSP_WORKER INNER
#define EACH_WSP_GLOBAL NOTHING
#include "config/directives.def"
#undef EACH_WSP_ANYWHERE
#undef EACH_WSP_WORKER
#undef EACH_WSP_GLOBAL
    merged->mapping = inner->mapping ? inner->mapping : outer->mapping;
    return merged;
}

wsp_dir_config wsp_dir_config_resolved(const wsp_dir_config* config) {
    wsp_dir_config resolved = *config;
#define EACH_WSP_ANYWHERE RESOLVE
#define EACH_WSP_WORKER RESOLVE
#define EACH_WSP_GLOBAL NOTHING
#include "config/directives.def"
#undef EACH_WSP_ANYWHERE
#undef EACH_WSP_WORKER
#undef EACH_WSP_GLOBAL
    return resolved;
}

static void* create_server_config(apr_pool_t* pool, server_rec* server) {
    wsp_server_config* config = apr_pcalloc(pool, sizeof *config);
    (void)server;
#define EACH_WSP_ANYWHERE NOTHING
#define EACH_WSP_WORKER NOTHING
#define EACH_WSP_GLOBAL UNSET
#include "config/directives.def"
#undef EACH_WSP_ANYWHERE
#undef EACH_WSP_WORKER
#undef EACH_WSP_GLOBAL
    config->mappings = apr_array_make(pool, 2, sizeof(struct proxy_alias));
    return config;
}

static void* merge_server_config(apr_pool_t* pool, void* base, void* add) {
    const wsp_server_config *outer = base, *inner = add;
    wsp_server_config* merged = apr_pmemdup(pool, inner, sizeof *inner);
#define EACH_WSP_ANYWHERE NOTHING
#define EACH_WSP_WORKER NOTHING
#define EACH_WSP_GLOBAL INNER
#include "config/directives.def"
#undef EACH_WSP_ANYWHERE
#undef EACH_WSP_WORKER
#undef EACH_WSP_GLOBAL
    merged->mappings = apr_array_append(pool, inner->mappings, outer->mappings);
    return merged;
}

wsp_server_config wsp_server_config_resolved(const wsp_server_config* config) {
    wsp_server_config resolved = *config;
#define EACH_WSP_ANYWHERE NOTHING
#define EACH_WSP_WORKER NOTHING
#define EACH_WSP_GLOBAL RESOLVE
#include "config/directives.def"
#undef EACH_WSP_ANYWHERE
#undef EACH_WSP_WORKER
#undef EACH_WSP_GLOBAL
    return resolved;
}

const char* wsp_run_raw_args(cmd_parms* cmd, void* dir_config, const char* args) {
    return cmd->cmd->AP_RAW_ARGS(cmd, dir_config, args);
}

AP_DECLARE_MODULE(proxy_websocket) = {
    STANDARD20_MODULE_STUFF, create_dir_config, merge_dir_config,   create_server_config,
    merge_server_config,     commands,          wsp_register_hooks, AP_MODULE_FLAG_NONE};
