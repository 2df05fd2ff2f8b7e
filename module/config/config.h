/* What the directives set: plain C structs that httpd's pools own, written while the configuration
 * is read and only read afterwards, by any thread. The rows of directives.def make the fields. */
#ifndef WSP_CONFIG_H
#define WSP_CONFIG_H

#include <stdint.h>

#include "httpd.h"

#include "apr_tables.h"
#include "http_config.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A directive that the administrator has not written. */
#define WSP_UNSET INT64_MIN

#define WSP_ANYWHERE (RSRC_CONF | ACCESS_CONF)
#define WSP_MAPPING (RSRC_CONF | ACCESS_CONF) /* its handler refuses every section but <Location> */
#define WSP_WORKER (RSRC_CONF | PROXY_CONF)
#define WSP_GLOBAL RSRC_CONF /* the setter refuses <VirtualHost> */

struct proxy_alias; /* mod_proxy.h */

#define WSP_CUSTOM(name, handler, syntax, context, doc)
#define WSP_HANDLED(name, handler, how, syntax, def, context, doc)
#define WSP_VALUE(field, def, context) WSP_FIELD_##context(field)
#define WSP_DIRECTIVE(name, field, type, def, min, max, context, doc) WSP_FIELD_##context(field)

/* Per directory, <Location> and virtual host; merged field by field, the inner one wins. */
#define WSP_FIELD_WSP_ANYWHERE(field) int64_t field;
#define WSP_FIELD_WSP_WORKER(field) int64_t field;
#define WSP_FIELD_WSP_GLOBAL(field)
typedef struct wsp_dir_config {
#include "config/directives.def"
    struct proxy_alias* mapping; /* ProxyPassWS in this <Location>, or NULL */
} wsp_dir_config;
#undef WSP_FIELD_WSP_ANYWHERE
#undef WSP_FIELD_WSP_WORKER
#undef WSP_FIELD_WSP_GLOBAL

/* Per virtual host; the main server's mappings follow the virtual host's own. Fields count in the
 * main server only. */
#define WSP_FIELD_WSP_ANYWHERE(field)
#define WSP_FIELD_WSP_WORKER(field)
#define WSP_FIELD_WSP_GLOBAL(field) int64_t field;
typedef struct wsp_server_config {
#include "config/directives.def"
    apr_array_header_t* mappings; /* of struct proxy_alias, in the order of the ProxyPassWS lines */
} wsp_server_config;
#undef WSP_FIELD_WSP_ANYWHERE
#undef WSP_FIELD_WSP_WORKER
#undef WSP_FIELD_WSP_GLOBAL

#undef WSP_DIRECTIVE
#undef WSP_VALUE
#undef WSP_HANDLED
#undef WSP_CUSTOM

/* Copies with every unset field at its default; fields whose default depends on something else stay
 * WSP_UNSET. */
wsp_dir_config wsp_dir_config_resolved(const wsp_dir_config* config);
wsp_server_config wsp_server_config_resolved(const wsp_server_config* config);

/* ProxyPassWS. Reads the arguments as mod_proxy reads ProxyPass and keeps the mapping to itself.
 * Returns NULL or an error message. Main thread, while the configuration is read. */
const char* wsp_set_proxy_pass_ws(cmd_parms* cmd, void* dir_config, const char* args);

/* Whether an endpoint may send this close code (RFC 6455 7.4). */
int wsp_is_close_code(int64_t code);

/* Calls the handler of cmd->cmd, a directive that takes raw arguments. In C, where command_rec's
 * handlers have types. */
const char* wsp_run_raw_args(cmd_parms* cmd, void* dir_config, const char* args);

#ifdef __cplusplus
}
#endif
#endif
