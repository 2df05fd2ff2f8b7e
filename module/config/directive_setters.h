/* How the value of a directive is read: checked against its row of directives.def and stored in
 * httpd's configuration structs. Each returns NULL or an error message from cmd->pool that names the
 * directive, what is allowed and what there is. Main thread, while the configuration is read. */
#ifndef WSP_DIRECTIVE_SETTERS_H
#define WSP_DIRECTIVE_SETTERS_H

#include <stddef.h>
#include <stdint.h>

#include "httpd.h"

#include "http_config.h"

/* The one symbol that leaves this shared object. */
extern module AP_MODULE_DECLARE_DATA proxy_websocket_module __attribute__((visibility("default")));

/* cmd->info of a directive of one value: where it goes and what it may be. */
typedef struct wsp_setting {
    size_t offset;
    int64_t min, max;
    int global; /* in wsp_server_config instead of wsp_dir_config */
} wsp_setting;

/* One for each type of WSP_DIRECTIVE. */
const char* wsp_set_flag(cmd_parms* cmd, void* dir_config, const char* arg);
const char* wsp_set_validate(cmd_parms* cmd, void* dir_config, const char* arg);
const char* wsp_set_member_down(cmd_parms* cmd, void* dir_config, const char* arg);
const char* wsp_set_duration(cmd_parms* cmd, void* dir_config, const char* arg);
const char* wsp_set_size(cmd_parms* cmd, void* dir_config, const char* arg);
const char* wsp_set_count(cmd_parms* cmd, void* dir_config, const char* arg);
const char* wsp_set_drain_code(cmd_parms* cmd, void* dir_config, const char* arg);

/* One for each WSP_HANDLED. */
const char* wsp_set_ping(cmd_parms* cmd, void* dir_config, const char* first, const char* second,
                         const char* third);
const char* wsp_set_max_lifetime(cmd_parms* cmd, void* dir_config, const char* time,
                                 const char* jitter);
const char* wsp_set_close_code(cmd_parms* cmd, void* dir_config, int argc, char* const argv[]);
const char* wsp_set_max_blocking(cmd_parms* cmd, void* dir_config, const char* first,
                                 const char* second);
const char* wsp_set_max_message_size(cmd_parms* cmd, void* dir_config, const char* client,
                                     const char* backend);
const char* wsp_set_message_rate(cmd_parms* cmd, void* dir_config, const char* rate,
                                 const char* burst);
const char* wsp_set_pool(cmd_parms* cmd, void* dir_config, int argc, char* const argv[]);

#endif
