/* What the directives set: plain C structs in httpd's pools. httpd writes them while it reads the configuration;
 * afterwards any thread reads them. The rows of directives.def make the fields. */
#ifndef WSP_CONFIG_H
#define WSP_CONFIG_H

#include <stdint.h>

#include "httpd.h"

#include "ap_expr.h"
#include "apr_tables.h"
#include "http_config.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The value of a directive that the configuration does not have. */
#define WSP_UNSET INT64_MIN

#define WSP_ANYWHERE (RSRC_CONF | ACCESS_CONF)
#define WSP_MAPPING (RSRC_CONF | ACCESS_CONF) /* its handler refuses every section but <Location> */
#define WSP_WORKER (RSRC_CONF | PROXY_CONF)
#define WSP_GLOBAL RSRC_CONF /* the setter refuses <VirtualHost> */

struct proxy_alias; /* mod_proxy.h */

/* Per directory, <Location>, <Proxy> and virtual host. httpd merges two of them field by field; the inner one wins. */
typedef struct wsp_dir_config {
#define WSP_DIR_FIELD(field, def, min, max) int64_t field;
#include "config/directives.def"
    struct proxy_alias* mapping; /* ProxyPassWS in this <Location>, or NULL */
    const ap_expr_info_t* tag;   /* ProxyWebsocketTag; NULL: not set; &wsp_no_tag: Off */
} wsp_dir_config;

/* Per virtual host. The main server's mappings follow the virtual host's own. Only the main server's fields count. */
typedef struct wsp_server_config {
#define WSP_SERVER_FIELD(field, def, min, max) int64_t field;
#include "config/directives.def"
    apr_array_header_t* mappings; /* of struct proxy_alias, in the order of the ProxyPassWS lines */
    void* log_context;            /* the configuration's; see log/log_context.hpp */
    void* configured_workers;     /* the main server's; see upstream/configured_workers.hpp */
    void* worker_directory;       /* the main server's; see upstream/worker_directory.hpp */
    void* statistics;             /* the main server's; see statistics/statistics.hpp */
} wsp_server_config;

/* For the module record; all fields of a new struct are WSP_UNSET. Main thread. */
void* wsp_create_dir_config(apr_pool_t* pool, char* dir);
void* wsp_merge_dir_config(apr_pool_t* pool, void* outer, void* inner);
void* wsp_create_server_config(apr_pool_t* pool, server_rec* server);
void* wsp_merge_server_config(apr_pool_t* pool, void* outer, void* inner);

/* Copies with every unset field at its default. A field whose default depends on something else stays WSP_UNSET. */
wsp_dir_config wsp_dir_config_resolved(const wsp_dir_config* config);
wsp_server_config wsp_server_config_resolved(const wsp_server_config* config);

extern const ap_expr_info_t wsp_no_tag;

/* ProxyPassWS. Reads the arguments as mod_proxy reads those of ProxyPass, and keeps the mapping out of mod_proxy's
 * list. Returns NULL or an error message. Main thread, while the configuration is read. */
const char* wsp_set_proxy_pass_ws(cmd_parms* cmd, void* dir_config, const char* args);

/* Calls the handler of cmd->cmd, which takes raw arguments. In C, because command_rec's handlers are typed there. */
const char* wsp_run_raw_args(cmd_parms* cmd, void* dir_config, const char* args);

#ifdef __cplusplus
}
#endif
#endif
